/**
 * The ten tiles, as rows: a further metric is a further row.
 *
 * Order is fixed so that people learn positions: service and delivery first, marketing second.
 * A row whose metric the server does not list is left out.
 */

export interface ContextItem {
  /** Words before the figure. */
  label?: string;
  /** The figure: a field of this tile's own cell, or another metric's value. */
  field?: "p90" | "n" | "numerator" | "denominator";
  metric?: string;
  /** Words after the figure. */
  after?: string;
  /** The window that the tile's value uses, or its most telling second figure. */
  strong?: boolean;
}

export interface TileRow {
  metric: string;
  label: string;
  context: readonly ContextItem[];
  /** Below this sample the value is not shown. */
  minimum: number;
  /** Said when there is nothing to measure yet. */
  empty: string;
}

const n: ContextItem = { label: "n", field: "n" };

export const TILES: readonly TileRow[] = [
  {
    metric: "first_response_time",
    label: "First response",
    context: [{ label: "p90", field: "p90", strong: true }, n],
    minimum: 30,
    empty: "No answered conversation yet",
  },
  {
    metric: "resolution_time",
    label: "Resolution time",
    context: [{ label: "first-contact", metric: "first_contact_resolution", strong: true }, n],
    minimum: 30,
    empty: "No resolved conversation yet",
  },
  {
    metric: "sla_attainment",
    label: "Within SLA",
    context: [{ field: "numerator", strong: true }, { label: "of", field: "denominator", after: "waits" }],
    minimum: 30,
    empty: "No wait has ended yet",
  },
  {
    metric: "open_waits",
    label: "Waiting now",
    context: [{ label: "longest", metric: "oldest_wait", strong: true }],
    minimum: 0,
    empty: "Nobody is waiting",
  },
  {
    metric: "delivery_rate",
    label: "Delivery rate",
    context: [{ field: "numerator", strong: true }, { label: "of", field: "denominator" }],
    minimum: 200,
    empty: "No message sent yet",
  },
  {
    metric: "response_rate",
    label: "Response rate",
    context: [
      { label: "15 m", metric: "response_rate_15m" },
      { label: "1 h", metric: "response_rate_1h" },
      { label: "24 h", metric: "response_rate_24h" },
    ],
    minimum: 200,
    empty: "No message sent yet",
  },
  {
    metric: "open_rate",
    label: "Read rate",
    context: [{ field: "numerator", strong: true }, { label: "of", field: "denominator" }],
    minimum: 200,
    empty: "No read receipt yet",
  },
  {
    metric: "click_through_rate",
    label: "Click-through",
    context: [
      { label: "5 m", metric: "click_through_rate_5m" },
      { label: "1 h", metric: "click_through_rate_1h" },
      { label: "1 d", metric: "click_through_rate_1d" },
    ],
    minimum: 200,
    empty: "No tracked link sent yet",
  },
  {
    metric: "conversion_rate",
    label: "Conversion",
    context: [
      { metric: "revenue_per_message", after: "/ message", strong: true },
      { label: "AOV", metric: "average_order_value", strong: true },
    ],
    minimum: 200,
    empty: "No conversion recorded yet",
  },
  {
    metric: "opt_out_rate",
    label: "Opt-out rate",
    context: [{ label: "complaints", metric: "complaint_rate", strong: true }, n],
    minimum: 200,
    empty: "No message delivered yet",
  },
];

/** The figures that the funnel shows beside the tiles. */
export const FUNNEL_METRICS = ["sent", "delivered", "open_rate", "click_through_rate", "response_rate"] as const;

export const SIDE_METRICS = [
  { metric: "revenue", label: "Revenue" },
  { metric: "revenue_per_message", label: "Per message" },
  { metric: "average_order_value", label: "Average order" },
  { metric: "failed", label: "Failed" },
  { metric: "time_to_deliver", label: "Time to deliver" },
  { metric: "cost", label: "Cost" },
] as const;

/** Every metric that the headline question asks for, once each. */
export const HEADLINE_METRICS: readonly string[] = [
  ...new Set([
    ...TILES.flatMap((tile) => [tile.metric, ...tile.context.flatMap((item) => item.metric ?? [])]),
    ...FUNNEL_METRICS,
    ...SIDE_METRICS.map((item) => item.metric),
  ]),
];
