/** A chart's frame: draws at the real width so that text is never stretched, and reads itself out by pointer or arrow keys. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { say } from "../parts/say";

export interface Reading {
  title: string;
  lines: readonly (readonly [name: string, value: string])[];
}

interface Props {
  height: number;
  label: string;
  /** Number of places the cursor can stand on; 0 for a chart without a cursor. */
  points: number;
  /** Horizontal place of a point, px. */
  x: (index: number, width: number) => number;
  read: (index: number) => Reading;
  children: (width: number) => ComponentChildren;
}

const TIP_GAP = 10;

export function ChartFrame({ height, label, points, x, read, children }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  const at = useSignal<number | null>(null);
  const last = useRef<number | null>(null);

  useEffect(() => {
    const element = box.current!;
    const measure = (): void => {
      width.value = Math.floor(element.clientWidth);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);

  const show = (index: number, aloud: boolean): void => {
    at.value = last.current = Math.max(0, Math.min(points - 1, index));
    if (!aloud) return;
    const { title, lines } = read(at.value);
    say(`${title}: ${lines.map((line) => line.join(" ")).join(", ")}`);
  };
  const hide = (): void => {
    at.value = null;
  };
  const follow = (event: PointerEvent): void => {
    const place = event.clientX - box.current!.getBoundingClientRect().left;
    let nearest = 0;
    for (let i = 1; i < points; i++) {
      if (Math.abs(x(i, width.value) - place) < Math.abs(x(nearest, width.value) - place)) nearest = i;
    }
    show(nearest, false);
  };
  const STEPS: Record<string, () => number> = {
    ArrowRight: () => (last.current ?? -1) + 1,
    ArrowLeft: () => (last.current ?? points) - 1,
    Home: () => 0,
    End: () => points - 1,
  };
  const press = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step) {
      event.preventDefault();
      show(step(), true);
    } else if (event.key === "Escape" && at.value !== null) {
      // Escape takes the reading away first; only the next one closes the drawer around the chart.
      event.preventDefault();
      event.stopPropagation();
      hide();
    }
  };

  const index = at.value !== null && at.value < points ? at.value : null;
  const place = index === null ? 0 : x(index, width.value);
  const reading = index === null ? null : read(index);
  const interactive = points > 0;
  return (
    <div
      class="chart"
      ref={box}
      style={{ height: `${height}px` }}
      {...(interactive
        ? {
            tabIndex: 0,
            role: "group",
            "aria-roledescription": "chart, use arrow keys",
            "aria-label": label,
            onPointerMove: follow,
            onPointerLeave: hide,
            onBlur: hide,
            onKeyDown: press,
          }
        : { role: "img", "aria-label": label })}
    >
      {width.value > 0 && (
        <svg width={width.value} height={height} aria-hidden="true">
          {children(width.value)}
        </svg>
      )}
      {reading && (
        <>
          <div class="cursor" style={{ left: `${place}px` }} />
          <div
            class="tip"
            ref={tip}
            style={
              place > width.value * 0.6
                ? { right: `${width.value - place + TIP_GAP}px` }
                : { left: `${place + TIP_GAP}px` }
            }
          >
            <b>{reading.title}</b>
            {reading.lines.map(([name, value]) => (
              <div key={name}>
                <span>{name}</span>
                <span>{value}</span>
              </div>
            ))}
          </div>
        </>
      )}
    </div>
  );
}
