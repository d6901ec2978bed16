/** Time ranges: what each one asks of the API and how it is named. */
import type { Question } from "./types";

export type RangeId = "today" | "24h" | "7d" | "28d" | "custom";

interface RangeRow {
  id: RangeId;
  label: string;
  /** `last 7 days`, for headings. */
  words: string;
  /** `previous 7 days`, for the comparison. */
  previous: string;
  /** Width of a sparkline's steps, and of the steps of the long chart in the drawer. */
  interval: string;
  detail: string;
}

export const RANGES: readonly RangeRow[] = [
  { id: "today", label: "Today", words: "today", previous: "the same time before", interval: "hour", detail: "hour" },
  { id: "24h", label: "24 h", words: "last 24 h", previous: "previous 24 h", interval: "hour", detail: "hour" },
  { id: "7d", label: "7 days", words: "last 7 days", previous: "previous 7 days", interval: "day", detail: "hour" },
  { id: "28d", label: "28 days", words: "last 28 days", previous: "previous 28 days", interval: "day", detail: "day" },
];

export const DEFAULT_RANGE: RangeId = "7d";

const DAY = 86_400_000;

/** Steps for a custom range, by its length in days. */
const CUSTOM_STEPS: readonly { upTo: number; interval: string; detail: string }[] = [
  { upTo: 2, interval: "hour", detail: "hour" },
  { upTo: 14, interval: "day", detail: "hour" },
  { upTo: 120, interval: "day", detail: "day" },
  { upTo: Infinity, interval: "week", detail: "week" },
];

export interface Range {
  id: RangeId;
  words: string;
  previous: string;
  interval: string;
  detail: string;
  /** The API parameters that select the range. */
  question: Question;
  /** A range that has ended gets no live updates. */
  ended: boolean;
}

/** `2026-11-21` in the given zone. */
export function today(zone: string, now: Date): string {
  // en-CA writes dates as ISO does.
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" }).format(now);
}

function nextDay(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + DAY).toISOString().slice(0, 10);
}

const DATE = /^\d{4}-\d{2}-\d{2}$/u;

export function isDate(text: string): boolean {
  return DATE.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));
}

/**
 * The range that the address names. `from` and `to` are dates, both included; an unusable pair falls back to the
 * default range.
 */
export function rangeOf(id: string, from: string, to: string, zone: string, now: Date): Range {
  if (id === "custom" && isDate(from) && isDate(to) && from <= to) {
    const end = nextDay(to);
    const days = (Date.parse(end) - Date.parse(from)) / DAY;
    const steps = CUSTOM_STEPS.find((step) => days <= step.upTo)!;
    return {
      id,
      words: from === to ? from : `${from} to ${to}`,
      previous: days === 1 ? "day before" : `previous ${days} days`,
      interval: steps.interval,
      detail: steps.detail,
      question: { from, to: end },
      ended: end <= today(zone, now),
    };
  }
  const row = RANGES.find((r) => r.id === id) ?? RANGES.find((r) => r.id === DEFAULT_RANGE)!;
  const question: Question = row.id === "today" ? { from: today(zone, now) } : { last: row.id };
  return { ...row, question, ended: false };
}
