/** What a tile may say about its figure: always a shape and a word, never a colour alone. */
import type { Cell, StatusWord } from "./types";
import { sample } from "./format";

export type Shape = "good" | "warn" | "bad" | "none";

export interface Status {
  shape: Shape;
  words: string;
}

const WORDS: Record<Exclude<StatusWord, "no_data">, Status> = {
  good: { shape: "good", words: "On target" },
  near: { shape: "warn", words: "Close" },
  below: { shape: "bad", words: "Off target" },
};

export const NO_DATA: Status = { shape: "none", words: "No data yet" };
export const TOO_LITTLE: Status = { shape: "none", words: "Too little data" };
export const FAILED: Status = { shape: "bad", words: "Could not load" };
/** Drawn before words in tables, where there is no room for an icon. */
export const MARKS: Record<Shape, string> = { good: "●", warn: "▲", bad: "◆", none: "○" };

export type Fullness = "empty" | "thin" | "full";

/** Whether a cell's sample is large enough to be shown as a figure. */
export function fullness(cell: Cell | undefined, minimum: number): Fullness {
  const n = cell && sample(cell);
  if (!cell || cell.value === null || n === 0) return "empty";
  return n !== null && n !== undefined && n < minimum ? "thin" : "full";
}

/** The status that the server gave a cell, or null where the metric has no target. */
export function benchmarkStatus(cell: Cell): Status | null {
  const word = cell.benchmark?.status;
  return !word || word === "no_data" ? null : WORDS[word];
}
