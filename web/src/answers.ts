/** Keeping an answer and laying changed cells over it. */
import type { Answer, Cell, Row, Update } from "./types";

export function isCell(value: unknown): value is Cell {
  return typeof value === "object" && value !== null && "value" in value;
}

export function cellOf(row: Row | undefined, metric: string): Cell | undefined {
  const value = row?.[metric];
  return isCell(value) ? value : undefined;
}

/** What tells rows apart: their dimensions and their start, which are all that is not a cell. */
export function rowKey(row: Row): string {
  const dimensions = Object.entries(row).filter(([, value]) => !isCell(value));
  return JSON.stringify(dimensions.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The answer with the update's cells in place. Rows and cells that did not change stay the same objects, so that
 * nothing that shows them draws again.
 */
export function patch(answer: Answer, update: Update): Answer {
  if (Date.parse(update.as_of) < Date.parse(answer.as_of)) return answer;
  const changed = new Map(update.rows.map((row) => [rowKey(row), row]));
  const rows = answer.rows.map((row) => {
    const change = changed.get(rowKey(row));
    changed.delete(rowKey(row));
    return change ? { ...row, ...change } : row;
  });
  return { ...answer, as_of: update.as_of, rows: [...rows, ...changed.values()] };
}

/** A fresh answer that reuses the objects of the old one wherever they are equal. */
export function settle(old: Answer | null, fresh: Answer): Answer {
  if (!old) return fresh;
  const before = new Map(old.rows.map((row) => [rowKey(row), row]));
  const rows = fresh.rows.map((row) => {
    const was = before.get(rowKey(row));
    if (!was) return row;
    const next: Row = {};
    for (const [name, value] of Object.entries(row)) {
      next[name] = JSON.stringify(value) === JSON.stringify(was[name]) ? was[name] : value;
    }
    return next;
  });
  return { ...fresh, rows };
}
