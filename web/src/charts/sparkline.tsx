/** A tile's small line: this period, the previous one dotted, the target dashed. It stretches; its strokes do not. */
import { line } from "d3-shape";

interface Props {
  values: readonly (number | null)[];
  previous: readonly (number | null)[];
  target: number | null;
}

const WIDTH = 100;
const HEIGHT = 32;
const MARGIN = 3;

export function Sparkline({ values, previous, target }: Props) {
  const all = [...values, ...previous, target].filter((v): v is number => v !== null);
  const low = Math.min(...all);
  const spread = Math.max(...all) - low || 1;
  const steps = Math.max(1, values.length - 1);
  const x = (index: number): number => (index / steps) * (WIDTH - 1.5);
  const y = (value: number): number => MARGIN + (HEIGHT - 2 * MARGIN) * (1 - (value - low) / spread);
  const path = line<number | null>()
    .defined((v) => v !== null)
    .x((_, index) => x(index))
    .y((v) => y(v!))
    .digits(1);
  const last = values.findLastIndex((v) => v !== null);
  const drawn = values.some((v) => v !== null);
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {drawn && <path class="wash" d={wash(values, x, y)} />}
      <path class="previous" d={path(previous) ?? ""} />
      {target !== null && drawn && <path class="target" d={`M0 ${y(target)}H${WIDTH}`} />}
      <path class="line" d={path(values) ?? ""} />
      {last >= 0 && <path class="dot" d={`M${x(last)} ${y(values[last]!)}h.001`} />}
    </svg>
  );
}

// One closed shape for each unbroken stretch, so that gaps stay gaps.
function wash(values: readonly (number | null)[], x: (i: number) => number, y: (v: number) => number): string {
  let shape = "";
  let start = -1;
  for (let i = 0; i <= values.length; i++) {
    const value = i < values.length ? values[i]! : null;
    if (value !== null) {
      shape += start < 0 ? `M${x(i).toFixed(1)} ${HEIGHT}` : "";
      start = start < 0 ? i : start;
      shape += `L${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    } else if (start >= 0) {
      shape += `V${HEIGHT}Z`;
      start = -1;
    }
  }
  return shape;
}
