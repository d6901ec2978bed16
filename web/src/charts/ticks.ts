/** Axis marks at round places. */
import { scaleLinear } from "d3-scale";

const DURATION_STEPS = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800];
const MOST = 6;

/** Marks from 0 to at least `top` seconds, at steps people count time in. */
export function durationTicks(top: number): number[] {
  const step = DURATION_STEPS.find((s) => top / s <= MOST - 1) ?? Math.ceil(top / (MOST - 1) / 86400) * 86400;
  return Array.from({ length: Math.ceil(top / step) + 1 }, (_, i) => i * step);
}

/** Marks that enclose low..high; durations at steps of time, other figures at decimal ones. */
export function valueTicks(low: number, high: number, unit: string): number[] {
  if (unit === "seconds") return durationTicks(high);
  const spread = high - low || Math.abs(high) || 1;
  const [from, to] = scaleLinear([low, low + spread], [0, 1]).nice(4).domain() as [number, number];
  return scaleLinear([from, to], [0, 1]).ticks(4);
}
