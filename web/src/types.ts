/** Shapes of the JSON API that the page reads. */

export type Unit = "ratio" | "seconds" | "count" | "money" | "score";
export type Good = "up" | "down" | "neutral";
export type StatusWord = "good" | "near" | "below" | "no_data";

/** One figure. Which fields are there depends on the metric's unit. */
export interface Cell {
  value: number | null;
  /** ratio */
  numerator?: number;
  denominator?: number;
  low?: number | null;
  high?: number | null;
  maturing?: boolean;
  /** seconds, score, money */
  n?: number;
  p50?: number | null;
  p90?: number | null;
  /** money */
  currency?: string | null;
  /** with compare */
  previous?: Cell | null;
  change?: number | null;
  benchmark?: Benchmark | null;
}

export interface Benchmark {
  target: number | null;
  status: StatusWord;
  advice?: string | string[] | null;
}

export type DimensionValue = string | number | boolean | null;
export type Row = Record<string, Cell | DimensionValue | undefined>;

export interface Answer {
  from: string;
  to: string;
  timezone: string;
  rows: Row[];
  metrics: Record<string, { unit: Unit; good: Good }>;
  as_of: string;
}

/** What a live update carries: only the rows and cells that changed. */
export interface Update {
  as_of: string;
  rows: Row[];
}

export interface Metric {
  name: string;
  family: string;
  title: string;
  description: string;
  formula: string;
  unit: Unit;
  good: Good;
  dimensions: string[];
  /** By channel; `default` where a row is of no one channel. */
  benchmarks: Record<string, { target?: number | null; source?: string }>;
  advice: unknown;
  source: string | null;
}

export interface Catalogue {
  metrics: Metric[];
}

/** The parameters of one question to `/v1/query`. */
export type Question = Record<string, string>;
