/** One metric in depth: the long chart, its figures, what helps, a breakdown, and its definition. */
import { computed, useSignal } from "@preact/signals";
import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { useEffect, useId, useRef } from "preact/hooks";
import { cellOf } from "../answers";
import { channelName } from "../channels";
import { ChartFrame } from "../charts/frame";
import { valueTicks } from "../charts/ticks";
import { bucket, count, day, figure, MISSING, sample, target } from "../format";
import { Delta } from "../parts/delta";
import { Figure, Icon, StatusMark } from "../parts/marks";
import { Toolbar } from "../parts/toolbar";
import { panel } from "../panel";
import { headlineCell, metricByName, scope } from "../store";
import { benchmarkStatus, fullness, MARKS, NO_DATA, TOO_LITTLE } from "../status";
import { TILES } from "../tiles";
import { choices, compares, go, range, zone } from "../url";
import type { Answer, Cell, Metric, Question, Row } from "../types";

/** Breakdowns offered, of those that the metric has. */
const BREAKDOWNS: readonly { id: string; label: string }[] = [
  { id: "channel", label: "Channel" },
  { id: "team", label: "Team" },
  { id: "agent", label: "Agent" },
  { id: "campaign", label: "Campaign" },
  { id: "hour_of_day", label: "Hour" },
];
const MOST_ROWS = 12;

const metricName = computed(() => {
  const name = choices.value.metric;
  return name && metricByName.value.has(name) ? name : null;
});
const breakdowns = computed(() => {
  const has = metricName.value ? metricByName.value.get(metricName.value)!.dimensions : [];
  return BREAKDOWNS.filter(({ id }) => has.includes(id));
});
const breakdown = computed(() => {
  const offered = breakdowns.value;
  return (offered.find(({ id }) => id === choices.value.by) ?? offered[0])?.id ?? null;
});
const compare = (): Question => ({ compare: compares.value ? "previous,benchmark" : "benchmark" });

const long = panel(
  computed(() => {
    const name = metricName.value;
    return name ? { metrics: name, ...scope.value, interval: range.value.detail, ...compare() } : null;
  }),
);
const parts = panel(
  computed(() => {
    const name = metricName.value;
    return name && breakdown.value ? { metrics: name, ...scope.value, by: breakdown.value, compare: "benchmark" } : null;
  }),
);

export function Drawer() {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const name = metricName.value;
  const metric = name ? metricByName.value.get(name)! : null;
  const shown = useSignal<string | null>(null);

  useEffect(() => {
    const box = dialog.current!;
    if (name && !box.open) box.showModal();
    if (!name && box.open) {
      box.close();
      document.querySelector<HTMLElement>(`[data-metric="${CSS.escape(shown.peek() ?? "")}"]`)?.focus();
    }
    if (name) shown.value = name;
  }, [name]);

  const closed = (): void => {
    if (metricName.peek()) go({ metric: undefined, by: undefined });
  };
  return (
    <dialog
      class="drawer"
      ref={dialog}
      aria-labelledby={title}
      onClose={closed}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      {metric && <Content metric={metric} title={title} close={() => dialog.current!.close()} />}
    </dialog>
  );
}

function Content({ metric, title, close }: { metric: Metric; title: string; close: () => void }) {
  const tile = TILES.find((row) => row.metric === metric.name);
  const cell = headlineCell(metric.name).value;
  const minimum = tile?.minimum ?? 0;
  const full = fullness(cell, minimum);
  const goal = cell?.benchmark?.target ?? null;
  const write = (value: number | null | undefined): string => figure(value, metric.unit, cell?.currency);
  const n = cell ? sample(cell) : null;
  const status = full === "full" ? benchmarkStatus(cell!) : full === "thin" ? TOO_LITTLE : NO_DATA;
  const advice = adviceOf(cell, metric);
  return (
    <div class="drawer-body">
      <header>
        <div>
          <h2 id={title} tabIndex={-1} autofocus>
            {tile?.label ?? metric.title} · {range.value.words}
          </h2>
          <div class="drawer-value">
            <span>
              <Figure text={full === "full" ? write(cell!.value) : MISSING} />
            </span>
            {full === "full" && compares.value && <Delta cell={cell!} unit={metric.unit} good={metric.good} />}
          </div>
          <p class="muted">
            {status && <StatusMark status={status} />}
            {goal !== null && ` target ${target(goal, metric.unit, metric.good, cell?.currency)}`}
            {n !== null && ` · n ${count(n)}${full === "thin" ? ` of ${count(minimum)} needed` : ""}`}
          </p>
        </div>
        <button class="button ghost small square" aria-label="Close" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <Long metric={metric} goal={goal} write={write} />
      <dl class="quad">
        <div>
          <dt>This period</dt>
          <dd>{full === "full" ? write(cell!.value) : MISSING}</dd>
        </div>
        <div>
          <dt>Previous</dt>
          <dd>{compares.value ? write(cell?.previous?.value) : MISSING}</dd>
        </div>
        <div>
          <dt>Target</dt>
          <dd>{goal === null ? "none set" : target(goal, metric.unit, metric.good, cell?.currency)}</dd>
        </div>
        <div>
          <dt>Benchmark</dt>
          <dd class="plain">{benchmarks(metric) || "none"}</dd>
        </div>
      </dl>
      {advice.length > 0 && (
        <div class="advice">
          <h3>{status?.shape === "good" ? "Holding" : "What usually helps"}</h3>
          <ul>
            {advice.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </div>
      )}
      {breakdown.value && <Breakdown metric={metric} goal={goal} write={write} />}
      <div class="definition">
        <h3>Definition</h3>
        <p>{metric.description}</p>
        {metric.formula && <p class="formula">{metric.formula}</p>}
        {metric.source && <p class="muted">{metric.source}</p>}
        {benchmarkSource(metric) && <p class="muted">Source of the benchmark: {benchmarkSource(metric)}</p>}
      </div>
    </div>
  );
}

function texts(value: unknown): string[] {
  if (typeof value === "string") return value ? [value] : [];
  if (Array.isArray(value)) return value.flatMap(texts);
  return value && typeof value === "object" ? Object.values(value).flatMap(texts) : [];
}

function adviceOf(cell: Cell | undefined, metric: Metric): string[] {
  const own = texts(cell?.benchmark?.advice);
  if (own.length > 0) return own;
  const shape = cell && benchmarkStatus(cell)?.shape;
  return shape === "warn" || shape === "bad" ? texts(metric.advice) : [];
}

function benchmarks(metric: Metric): string {
  return Object.entries(metric.benchmarks ?? {})
    .flatMap(([channel, { target: goal }]) =>
      typeof goal === "number" ? `${channel === "default" ? "All" : channelName(channel)} ${target(goal, metric.unit, "neutral")}` : [],
    )
    .slice(0, 4)
    .join(", ");
}

function benchmarkSource(metric: Metric): string {
  const sources = Object.values(metric.benchmarks ?? {}).map(({ source }) => source ?? "");
  return [...new Set(sources.filter(Boolean))].join(" ");
}

interface LongProps {
  metric: Metric;
  goal: number | null;
  write: (value: number | null | undefined) => string;
}

const HEIGHT = 160;
const EDGE = { left: 52, right: 4, top: 8, bottom: 18 };
const POINT_MINIMUM = 5;

function shownValue(cell: Cell | null | undefined): number | null {
  if (!cell || cell.value === null) return null;
  const n = sample(cell);
  return n !== null && n < POINT_MINIMUM ? null : cell.value;
}

function Long({ metric, goal, write }: LongProps) {
  const answer = long.answer.value;
  if (long.error.value) {
    return (
      <p class="panel-note">
        <span class="bad">Could not load: {long.error.value.message}.</span>{" "}
        <button class="link" onClick={() => void long.refresh()}>
          Retry
        </button>
      </p>
    );
  }
  if (!answer || !(metric.name in answer.metrics)) return <span class="skeleton tall" />;
  const rows = answer.rows.filter((row): row is Row & { start: string } => typeof row.start === "string");
  const cells = rows.map((row) => cellOf(row, metric.name));
  const values = cells.map(shownValue);
  const before = compares.value ? cells.map((cell) => shownValue(cell?.previous)) : [];
  const all = [...values, ...before, goal].filter((v): v is number => v !== null);
  if (!values.some((v) => v !== null)) return <p class="nothing">No step of this range has {POINT_MINIMUM} samples.</p>;
  const ticks = valueTicks(Math.min(...all), Math.max(...all), metric.unit);
  const x = (i: number, width: number): number =>
    EDGE.left + (i / Math.max(1, rows.length - 1)) * (width - EDGE.left - EDGE.right - 4);
  const when = (row: { start: string }): string => bucket(row.start, range.value.detail, zone.value);
  const step = range.value.detail === "15m" ? "15-minute" : range.value.detail.replace("day", "dai") + "ly";
  return (
    <ChartFrame
      height={HEIGHT}
      label={`${metric.title}, ${range.value.words}`}
      points={rows.length}
      x={x}
      read={(i) => ({
        title: when(rows[i]!),
        lines: [
          ["This period", write(values[i])],
          ...(compares.value ? [["Previous", write(before[i])] as const] : []),
          ...(goal !== null ? [["Target", target(goal, metric.unit, metric.good)] as const] : []),
          ["n", cells[i] ? count(sample(cells[i]!) ?? 0) : MISSING],
        ],
      })}
    >
      {(width) => {
        const y = scaleLinear([ticks[0]!, ticks.at(-1)!], [HEIGHT - EDGE.bottom, EDGE.top]);
        const path = line<number | null>()
          .defined((v) => v !== null)
          .x((_, i) => x(i, width))
          .y((v) => y(v!))
          .digits(1);
        const right = width - EDGE.right;
        return (
          <>
            {ticks.map((tick) => (
              <g key={tick}>
                <path class="grid" d={`M${EDGE.left} ${y(tick)}H${right}`} />
                <text class="end" x={EDGE.left - 6} y={y(tick) + 4}>
                  {write(tick)}
                </text>
              </g>
            ))}
            <path class="previous" d={path(before) ?? ""} />
            {goal !== null && <path class="target" d={`M${EDGE.left} ${y(goal)}H${right}`} />}
            <path class="line" d={path(values) ?? ""} />
            <text x={EDGE.left} y={HEIGHT - 3}>
              {day(rows[0]!.start, zone.value)}
            </text>
            <text class="middle" x={(EDGE.left + right) / 2} y={HEIGHT - 3}>
              {step} steps{compares.value ? `; dotted: ${range.value.previous}` : ""}
            </text>
            <text class="end" x={right} y={HEIGHT - 3}>
              {day(rows.at(-1)!.start, zone.value)}
            </text>
          </>
        );
      }}
    </ChartFrame>
  );
}

function groupName(by: string, value: unknown): string {
  if (by === "channel") return channelName(value);
  if (by === "hour_of_day") return `${String(value).padStart(2, "0")}:00`;
  return value === null || value === undefined || value === "" ? "(none)" : String(value);
}

function groups(answer: Answer | null, by: string, metric: Metric) {
  const list = (answer?.rows ?? []).flatMap((row) => {
    const cell = cellOf(row, metric.name);
    return cell && cell.value !== null ? { key: row[by], name: groupName(by, row[by]), value: cell.value, cell } : [];
  });
  // Hours keep their order; other groups start with the one that needs attention.
  if (by === "hour_of_day") return list.sort((a, b) => Number(a.key) - Number(b.key));
  return list.sort((a, b) => (metric.good === "down" ? b.value - a.value : a.value - b.value)).slice(0, MOST_ROWS);
}

function Breakdown({ metric, goal, write }: LongProps) {
  const by = breakdown.value!;
  const label = BREAKDOWNS.find(({ id }) => id === by)!.label;
  const list = groups(parts.answer.value, by, metric);
  const scale = [...list.map((g) => g.value), ...(goal === null ? [0] : [goal])];
  const low = Math.min(...scale);
  const spread = Math.max(...scale) - low || 1;
  const place = (value: number): number => 4 + (92 * (value - low)) / spread;
  return (
    <div>
      <div class="break-head">
        <h3>Break down by</h3>
        <Toolbar
          label="Dimension"
          name="by"
          look="segments"
          options={breakdowns.value}
          chosen={by}
          choose={(id) => go({ by: id }, true)}
        />
      </div>
      {parts.error.value ? (
        <p class="bad">Could not load: {parts.error.value.message}.</p>
      ) : list.length === 0 ? (
        <p class="nothing">{parts.loading.value ? "Loading…" : "Nothing to break down in this range."}</p>
      ) : (
        <table class={parts.outdated.value ? "breakdown refetching" : "breakdown"}>
          <thead>
            <tr>
              <th scope="col">{label}</th>
              <th scope="col">{goal === null ? "Value" : `Distance from target ${target(goal, metric.unit, metric.good)}`}</th>
              <th scope="col" class="right">
                Value
              </th>
              <th scope="col" class="right">
                n
              </th>
            </tr>
          </thead>
          <tbody>
            {list.map((group) => {
              const n = sample(group.cell);
              const few = n !== null && n < POINT_MINIMUM;
              const status = few ? null : benchmarkStatus(group.cell);
              const off = status?.shape === "bad";
              const marked = status && status.shape !== "good";
              const from = goal ?? low;
              return (
                <tr key={String(group.key)}>
                  <th scope="row" class="clip" title={group.name}>
                    {group.name}
                  </th>
                  <td>
                    {!few && (
                      <span class="lollipop" aria-hidden="true">
                        {goal !== null && <u style={{ left: `${place(goal)}%` }} />}
                        <s
                          style={{
                            left: `${Math.min(place(group.value), place(from))}%`,
                            width: `${Math.abs(place(group.value) - place(from))}%`,
                          }}
                        />
                        <i class={off ? "off" : ""} style={{ left: `${place(group.value)}%` }} />
                      </span>
                    )}
                  </td>
                  <td class={`right ${marked ? status.shape : ""}`}>
                    {marked && (
                      <>
                        <span aria-hidden="true">{MARKS[status.shape]} </span>
                        <span class="hidden-text">{status.words}: </span>
                      </>
                    )}
                    {few ? "too few" : write(group.value)}
                  </td>
                  <td class="right muted">{n === null ? MISSING : count(n)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </div>
  );
}
