/** What the page asks of `/v1/query`, one entry per panel group. */
import { HEADLINE_METRICS } from "./tiles.ts";
import { DEFAULT_RANGE } from "./ranges.ts";
import type { Question } from "./types";

/** The question behind the first paint of a page opened without choices; the server answers it inside the HTML. */
export const FIRST_QUESTION: Question = {
  metrics: HEADLINE_METRICS.join(","),
  last: DEFAULT_RANGE,
  compare: "previous,benchmark",
};

export const CHANNEL_METRICS = [
  "sent",
  "delivery_rate",
  "open_rate",
  "response_rate_1h",
  "click_through_rate_1d",
  "first_response_time",
  "sla_attainment",
  "csat",
] as const;

/** One text per question, whatever the order of its parameters. */
export function key(question: Question): string {
  return new URLSearchParams(Object.entries(question).sort(([a], [b]) => (a < b ? -1 : 1))).toString();
}

/**
 * The metrics of which the server can answer such a question: those it lists that have every dimension which the
 * question filters or breaks down by. One that has not would have the whole question refused. Null where none is left.
 */
export function answerable(
  metrics: readonly string[],
  listed: ReadonlyMap<string, { dimensions: readonly string[] }>,
  dimensions: readonly string[],
): string | null {
  return (
    metrics.filter((name) => dimensions.every((d) => listed.get(name)?.dimensions.includes(d)) && listed.has(name)).join(",") ||
    null
  );
}
