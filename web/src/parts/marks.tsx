/** Small marks: icons, status shapes, written figures. */
import { figureParts } from "../format";
import type { Shape, Status } from "../status";

const ICONS = {
  grid: "M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z",
  down: "M8 2.5v7.5M4.8 7 8 10.2 11.2 7M3 13.3h10",
  table: "M2.5 3h11v10h-11zM2.5 6.3h11M2.5 9.6h11M6.5 6.3V13",
  sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6M8 1.5V3M8 13v1.5M14.5 8H13M3 8H1.5M12.6 3.4l-1 1M4.4 11.6l-1 1M12.6 12.6l-1-1M4.4 4.4l-1-1",
  moon: "M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z",
  close: "m4 4 8 8M12 4l-8 8",
} as const;

export function Icon({ name }: { name: keyof typeof ICONS }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}

const SHAPES: Record<Shape, string> = {
  good: "M5 .8a4.2 4.2 0 1 0 0 8.4a4.2 4.2 0 1 0 0-8.4z",
  warn: "M5 .8 9.6 9H.4z",
  bad: "M5 0l5 5-5 5-5-5z",
  none: "M5 1.6a3.4 3.4 0 1 0 0 6.8a3.4 3.4 0 1 0 0-6.8z",
};

export function StatusMark({ status }: { status: Status }) {
  return (
    <span class={`status ${status.shape}`} key={status.words}>
      <svg viewBox="0 0 10 10" aria-hidden="true">
        <path d={SHAPES[status.shape]} />
      </svg>
      <span class="word">{status.words}</span>
    </span>
  );
}

/** A figure with its units set smaller than its digits. */
export function Figure({ text }: { text: string }) {
  return (
    <>
      {figureParts(text).map((part, index) => (part.unit ? <small key={index}>{part.text}</small> : part.text))}
    </>
  );
}

export function Brand() {
  return (
    <span class="brand">
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <rect class="plate" x="1" y="1" width="18" height="18" rx="5" />
        <path class="up" d="M4.5 7h1.8v3H4.500zM7.500 4.500h1.800V10H7.500zM10.500 6h1.800v4h-1.800zM13.500 5h1.800v5h-1.800z" />
        <path class="down" d="M4.500 11h1.800v4H4.500zM7.500 11h1.800v2.500H7.500zM10.500 11h1.800v4.500h-1.800zM13.500 11h1.800v3h-1.800z" />
      </svg>
      tickertape
    </span>
  );
}
