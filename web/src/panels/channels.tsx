import { cellOf } from "../answers";
import { channelName } from "../channels";
import { figure, MISSING, sample } from "../format";
import { PanelFrame } from "../parts/frame";
import { byChannel, metricByName } from "../store";
import { benchmarkStatus, MARKS } from "../status";
import type { Row } from "../types";

/** Below the minimum a figure is not shown: one customer must not look like a trend. */
interface Column {
  metric: string;
  label: string;
  minimum: number;
  /** Channels whose figure needs a warning. */
  caution?: Readonly<Record<string, string>>;
}

const COLUMNS: readonly Column[] = [
  { metric: "sent", label: "Sent", minimum: 0 },
  { metric: "delivery_rate", label: "Delivered", minimum: 30 },
  {
    metric: "open_rate",
    label: "Read",
    minimum: 30,
    caution: { email: "mail privacy proxies open messages by themselves" },
  },
  { metric: "response_rate_1h", label: "Replied 1 h", minimum: 30 },
  { metric: "click_through_rate_1d", label: "CTR 1 d", minimum: 30 },
  { metric: "first_response_time", label: "First resp.", minimum: 5 },
  { metric: "sla_attainment", label: "In SLA", minimum: 5 },
  { metric: "csat", label: "CSAT", minimum: 5 },
];

function size(row: Row): number {
  return cellOf(row, "sent")?.value ?? 0;
}

export function Channels() {
  const listed = metricByName.value;
  const columns = COLUMNS.filter(({ metric }) => listed.has(metric));
  const rows = [...(byChannel.answer.value?.rows ?? [])]
    .filter((row) => columns.some(({ metric }) => cellOf(row, metric)?.value))
    .sort((a, b) => size(b) - size(a));
  const text = (row: Row, column: Column): string => {
    const cell = cellOf(row, column.metric);
    const n = cell ? sample(cell) : null;
    if (!cell || (n !== null && n < column.minimum)) return MISSING;
    return figure(cell.value, listed.get(column.metric)!.unit, cell.currency);
  };
  return (
    <PanelFrame
      title="By channel"
      subtitle="off-target cells are marked"
      span="rest"
      panel={byChannel}
      tabular
      table={{
        columns: ["Channel", ...columns.map((c) => c.label)],
        rows: rows.map((row) => [channelName(row.channel), ...columns.map((c) => text(row, c))]),
      }}
      empty={rows.length ? null : "No channel has data in this range."}
    >
      <div class="table-box" tabIndex={0} role="region" aria-label="Figures by channel">
        <table class="by-channel">
          <thead>
            <tr>
              <th scope="col">Channel</th>
              {columns.map((column) => (
                <th key={column.metric} scope="col" class="right">
                  {column.label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={String(row.channel)}>
                <th scope="row">{channelName(row.channel)}</th>
                {columns.map((column) => {
                  const written = text(row, column);
                  const cell = cellOf(row, column.metric);
                  const status = written === MISSING || !cell ? null : benchmarkStatus(cell);
                  const marked = status && status.shape !== "good" ? status : null;
                  return (
                    <td key={`${column.metric} ${written}`} class={`right ${marked?.shape ?? ""}${written === MISSING ? "muted" : ""}`}>
                      {marked && (
                        <>
                          <span aria-hidden="true">{MARKS[marked.shape]} </span>
                          <span class="hidden-text">{marked.words}: </span>
                        </>
                      )}
                      {written}
                      {written !== MISSING && column.caution?.[String(row.channel)] && (
                        <span title={column.caution[String(row.channel)]}>*</span>
                      )}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </PanelFrame>
  );
}
