/** Sent → delivered → read, clicked, replied, at true height; beside it money where there is any, else failures and cost. */
import { ChartFrame } from "../charts/frame";
import { compact, count, figure, percent } from "../format";
import { Delta } from "../parts/delta";
import { Figure } from "../parts/marks";
import { PanelFrame } from "../parts/frame";
import { headline, headlineCell, metricByName } from "../store";
import { SIDE_METRICS } from "../tiles";
import { compares, range } from "../url";
import type { Cell } from "../types";

interface Stage {
  label: string;
  metric: string;
  /** What a share is of; empty for the first stage. */
  of: string;
}

const STAGES: readonly Stage[] = [
  { label: "Sent", metric: "sent", of: "" },
  { label: "Delivered", metric: "delivered", of: "of sent" },
  { label: "Read", metric: "open_rate", of: "of delivered" },
  { label: "Clicked", metric: "click_through_rate", of: "of delivered" },
  { label: "Replied", metric: "response_rate", of: "of delivered" },
];

interface Step {
  label: string;
  of: string;
  messages: number;
  /** Share of the messages that could have got here; null for the first stage. */
  rate: number | null;
  previousRate: number | null;
  /** Messages that the previous period's rate would have brought here. */
  expected: number | null;
}

function messages(cell: Cell): number {
  return cell.numerator ?? cell.value ?? 0;
}

export function steps(cellOf: (metric: string) => Cell | undefined): Step[] {
  const sent = cellOf("sent");
  return STAGES.flatMap(({ label, metric, of }) => {
    const cell = cellOf(metric);
    if (!cell) return [];
    const share = (c: Cell | null | undefined, whole: Cell | null | undefined): number | null => {
      if (!c || !of) return null;
      if (c.denominator !== undefined) return c.value;
      return whole?.value ? (c.value ?? 0) / whole.value : null;
    };
    const rate = share(cell, sent);
    const previousRate = share(cell.previous, sent?.previous);
    const whole = cell.denominator ?? sent?.value ?? null;
    const wholeIsDelivered = cell.denominator === undefined || cell.denominator === cellOf("delivered")?.value;
    return {
      label,
      // Some rates leave messages out, such as those without a tracked link: then the label says how many were counted.
      of: wholeIsDelivered ? of : `of ${compact(cell.denominator!)}`,
      messages: messages(cell),
      rate,
      previousRate,
      expected: previousRate === null || whole === null ? null : previousRate * whole,
    };
  });
}

const HEIGHT = 212;
const TOP = 66;
const BASE = HEIGHT - 2;
const NARROW = 430;

export function Funnel() {
  const list = steps((metric) => headlineCell(metric).value);
  const most = Math.max(1, ...list.map((s) => s.messages));
  const percentOf = (rate: number | null): string => (rate === null ? "–" : percent(rate));
  return (
    <PanelFrame
      title="Message funnel"
      subtitle={compares.value ? `dotted mark: ${range.value.previous}` : range.value.words}
      span="wide"
      panel={headline}
      table={{
        columns: ["Stage", "Messages", "Rate", "Previous rate"],
        rows: list.map((s) => [
          s.of ? `${s.label} (${s.of})` : s.label,
          count(s.messages),
          s.of ? percentOf(s.rate) : "100%",
          percentOf(s.previousRate),
        ]),
      }}
      empty={list.some((s) => s.messages > 0) ? null : "No message was sent in this range."}
    >
      <div class="funnel">
        <ChartFrame
          height={HEIGHT}
          label={`Funnel: ${list.map((s) => `${s.label} ${count(s.messages)}`).join(", ")}`}
          points={0}
          x={() => 0}
          read={() => ({ title: "", lines: [] })}
        >
          {(width) => {
            const column = width / list.length;
            const bar = Math.min(56, column * 0.52);
            const narrow = width < NARROW;
            const height = (n: number): number => (n > 0 ? Math.max(3, (n / most) * (BASE - TOP)) : 0);
            return (
              <>
                {list.map((s, index) => {
                  const x = index * column;
                  const next = list[index + 1];
                  const tall = height(s.messages);
                  return (
                    <g key={s.label} class={narrow ? "narrow" : ""}>
                      {next && (
                        <path
                          class="slope"
                          d={`M${x + bar} ${BASE - tall}L${x + column} ${BASE - height(next.messages)}V${BASE}H${x + bar}Z`}
                        />
                      )}
                      <rect class="column" x={x} y={BASE - tall} width={bar} height={tall} rx="2" />
                      {compares.value && s.expected !== null && (
                        <path class="before" d={`M${x - 4} ${BASE - (s.expected / most) * (BASE - TOP)}h${bar + 8}`} />
                      )}
                      <text class="stage" x={x} y="12">
                        {s.label}
                      </text>
                      <text class="amount" x={x} y="31">
                        {narrow ? compact(s.messages) : count(s.messages)}
                      </text>
                      <text class="rate" x={x} y="47">
                        {s.of ? percentOf(s.rate) : "100%"}
                        {s.of && column > 118 ? ` ${s.of}` : ""}
                      </text>
                    </g>
                  );
                })}
                <path class="base" d={`M0 ${BASE + 0.5}H${width}`} />
              </>
            );
          }}
        </ChartFrame>
        <Side />
      </div>
    </PanelFrame>
  );
}

const SIDE_COUNT = 3;

function Side() {
  const listed = metricByName.value;
  const shown = SIDE_METRICS.filter(({ metric }) => listed.has(metric)).slice(0, SIDE_COUNT);
  return (
    <dl class="side-figures">
      {shown.map(({ metric, label }) => {
        const { unit, good } = listed.get(metric)!;
        const cell = headlineCell(metric).value;
        const text = figure(cell?.value, unit, cell?.currency);
        return (
          <div key={metric}>
            <dt>{label}</dt>
            <dd key={`${text}|${cell?.previous?.value}`}>
              <Figure text={text} />
              {compares.value && cell && <Delta cell={cell} unit={unit} good={good} />}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
