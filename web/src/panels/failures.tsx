import { cellOf } from "../answers";
import { ERROR_CODES } from "../errorCodes";
import { better, count, delta, MISSING } from "../format";
import { PanelFrame } from "../parts/frame";
import { failures, headlineCell, metricByName } from "../store";
import { compares } from "../url";
import type { Cell, Row } from "../types";

const SHOWN = 6;

interface Line {
  code: string;
  meaning: string;
  failed: number;
  cell: Cell | null;
}

function lines(rows: readonly Row[]): Line[] {
  const all = rows
    .flatMap((row) => {
      const cell = cellOf(row, "failed");
      if (!cell?.value) return [];
      const code = row.error_code === null || row.error_code === undefined ? "" : String(row.error_code);
      return { code: code || "none", meaning: code ? (ERROR_CODES[code] ?? "") : "No code reported", failed: cell.value, cell };
    })
    .sort((a, b) => b.failed - a.failed);
  if (all.length <= SHOWN) return all;
  const rest = all.slice(SHOWN - 1);
  const failed = rest.reduce((sum, line) => sum + line.failed, 0);
  return [...all.slice(0, SHOWN - 1), { code: "…", meaning: `${count(rest.length)} other codes`, failed, cell: null }];
}

export function Failures() {
  const list = lines(failures.answer.value?.rows ?? []);
  const most = Math.max(1, ...list.map((line) => line.failed));
  const sent = headlineCell("sent").value?.value;
  const total = headlineCell("failed").value?.value;
  const good = metricByName.value.get("failed")?.good ?? "down";
  const change = ({ cell }: Line): string =>
    cell?.previous && cell.previous.value !== null && cell.value !== null
      ? delta(cell.value, cell.previous.value, "count")
      : MISSING;
  // A new code that makes up a tenth of all failures is worth a colour; small ups and downs are not.
  const alarming = ({ cell, failed }: Line): boolean =>
    Boolean(cell?.previous) && better(failed, cell!.previous!.value ?? 0, good) < 0 && failed - (cell!.previous!.value ?? 0) > (total ?? 0) / 10;
  return (
    <PanelFrame
      title="Failed deliveries"
      {...(total !== null && total !== undefined && sent ? { subtitle: `${count(total)} of ${count(sent)}` } : {})}
      span="third"
      panel={failures}
      tabular
      table={{
        columns: ["Code", "Meaning", "Failed", "Change"],
        rows: list.map((line) => [line.code, line.meaning, count(line.failed), change(line)]),
      }}
      empty={list.length ? null : "No delivery failed in this range."}
    >
      <div class="table-box" tabIndex={0} role="region" aria-label="Failed deliveries by error code">
        <table class="failures">
          <thead>
            <tr>
              <th scope="col">Code</th>
              <th scope="col">Meaning</th>
              <th scope="col" class="right">
                Failed
              </th>
              {compares.value && (
                <th scope="col" class="right">
                  Change
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {list.map((line) => (
              <tr key={line.code}>
                <th scope="row" class="code" title={line.code}>
                  {line.code}
                </th>
                <td>
                  <div class="clip">{line.meaning || "\u00a0"}</div>
                  <span class={`measure${alarming(line) ? " alarming" : ""}`} style={{ width: `${(line.failed / most) * 100}%` }} />
                </td>
                <td class="right strong" key={`f${line.failed}`}>
                  {count(line.failed)}
                </td>
                {compares.value && (
                  <td class={`right ${alarming(line) ? "bad" : "muted"}`} key={`c${change(line)}`}>
                    {change(line)}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </PanelFrame>
  );
}
