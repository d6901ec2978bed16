import { cellOf } from "../answers";
import { Delta } from "../parts/delta";
import { Figure, StatusMark } from "../parts/marks";
import { Sparkline } from "../charts/sparkline";
import { clock, count, figure, MISSING, sample, target } from "../format";
import {
  catalogue,
  headline,
  headlineCell,
  headlineCurrent,
  liveChange,
  metricByName,
  newWorkspace,
  paused,
  trends,
} from "../store";
import { benchmarkStatus, FAILED, fullness, NO_DATA, TOO_LITTLE } from "../status";
import { TILES, type ContextItem, type TileRow } from "../tiles";
import { compares, go, zone } from "../url";
import type { Cell, Metric } from "../types";

/** Points of a sparkline that rest on fewer than this are left out of the line. */
export const POINT_MINIMUM = 5;

export function Tiles() {
  const listed = metricByName.value;
  const rows = catalogue.value ? TILES.filter((tile) => listed.has(tile.metric)) : TILES;
  return (
    <section aria-label="Key metrics" id="tiles">
      <ul class="tiles">
        {rows.map((tile) => (
          <li key={tile.metric}>
            <Tile tile={tile} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Tile({ tile }: { tile: TileRow }) {
  const metric = metricByName.value.get(tile.metric);
  const cell = headlineCell(tile.metric).value;
  const current = headlineCurrent.value;
  const error = headline.error.value;
  if (!metric || (!cell && !error && !headline.answer.value)) return <LoadingTile label={tile.label} />;
  if (error) return <FailedTile tile={tile} metric={metric} cell={current ? cell : undefined} reason={error.message} />;
  const full = fullness(cell, tile.minimum);
  if (full === "full") return <FullTile tile={tile} metric={metric} cell={cell!} dimmed={!current} />;
  return <BareTile tile={tile} cell={cell} thin={full === "thin"} />;
}

function LoadingTile({ label }: { label: string }) {
  return (
    <div class="tile" aria-busy="true">
      <span class="tile-head">
        <span class="tile-label">{label}</span>
      </span>
      <span class="skeleton value" />
      <span class="skeleton words" />
      <span class="skeleton block" />
    </div>
  );
}

const open = (tile: TileRow) => () => go({ metric: tile.metric });

function BareTile({ tile, cell, thin }: { tile: TileRow; cell: Cell | undefined; thin: boolean }) {
  const n = cell ? sample(cell) : null;
  return (
    <button class="tile" data-metric={tile.metric} aria-haspopup="dialog" onClick={open(tile)}>
      <span class="tile-head">
        <span class="tile-label">{tile.label}</span>
        <StatusMark status={thin ? TOO_LITTLE : NO_DATA} />
      </span>
      <span class="tile-value">
        <span class="value muted">{MISSING}</span>
      </span>
      <span class="tile-context">
        {thin ? (
          <span key={n}>
            n <b>{count(n ?? 0)}</b> of {count(tile.minimum)} needed
          </span>
        ) : (
          tile.empty
        )}
      </span>
      {!newWorkspace.value && <span class="tile-hint">Widen the range or remove a filter</span>}
    </button>
  );
}

interface FailedProps {
  tile: TileRow;
  metric: Metric;
  cell: Cell | undefined;
  reason: string;
}

function FailedTile({ tile, metric, cell, reason }: FailedProps) {
  const asOf = headline.answer.value?.as_of;
  return (
    <button class="tile" data-metric={tile.metric} onClick={() => void headline.refresh()}>
      <span class="tile-head">
        <span class="tile-label">{tile.label}</span>
        <StatusMark status={FAILED} />
      </span>
      <span class="tile-value">
        <span class="value muted">
          <Figure text={figure(cell?.value, metric.unit, cell?.currency)} />
        </span>
      </span>
      <span class="tile-context">{cell && asOf ? `last good value, ${clock(asOf, zone.value)}` : "no value yet"}</span>
      <span class="tile-hint link">Retry · {reason}</span>
    </button>
  );
}

interface FullProps {
  tile: TileRow;
  metric: Metric;
  cell: Cell;
  dimmed: boolean;
}

function FullTile({ tile, metric, cell, dimmed }: FullProps) {
  const status = benchmarkStatus(cell);
  const goal = cell.benchmark?.target ?? null;
  const text = figure(cell.value, metric.unit, cell.currency);
  return (
    <button class="tile" data-metric={tile.metric} aria-haspopup="dialog" onClick={open(tile)}>
      <span class="tile-head">
        <span class="tile-label">{tile.label}</span>
        {status && <StatusMark status={status} />}
      </span>
      {/* New text is a new element: it then has no earlier place that it could have shifted from. */}
      <span class={`tile-value${dimmed ? " refetching" : ""}`} key={`${text}|${cell.previous?.value}`}>
        <LiveValue text={text} />
        {compares.value && <Delta cell={cell} unit={metric.unit} good={metric.good} />}
      </span>
      <Context items={tile.context} cell={cell} metric={metric} />
      <span class="tile-chart">
        <Trend tile={tile} goal={goal} />
        {goal !== null && (
          <span class="tile-target" key={goal}>
            target <b>{target(goal, metric.unit, metric.good, cell.currency)}</b>
          </span>
        )}
      </span>
    </button>
  );
}

/** The written value; one that came over the live stream fades in from the accent colour. */
function LiveValue({ text }: { text: string }) {
  const fresh = liveChange.peek() && !paused.peek();
  return (
    <span class={`value${fresh ? " fresh" : ""}`}>
      <Figure text={text} />
    </span>
  );
}

function Context({ items, cell, metric }: { items: readonly ContextItem[]; cell: Cell; metric: Metric }) {
  const written = items.flatMap((item) => {
    const other = item.metric ? headlineCell(item.metric).value : undefined;
    const text = item.metric ? otherFigure(item.metric, other) : ownFigure(item.field!, cell, metric);
    return text === null ? [] : [{ item, text, status: other ? benchmarkStatus(other) : null }];
  });
  return (
    <span class="tile-context" key={written.map((w) => w.text).join("|")}>
      {written.map(({ item, text, status }, index) => (
        <>
          {index > 0 && (item.label === "of" ? " " : " · ")}
          <span class="nowrap">
            {item.label && `${item.label} `}
            {item.strong ? <b>{text}</b> : text}
            {item.after && ` ${item.after}`}
            {status && status.shape !== "good" && (
              <span class={`note-mark ${status.shape}`}>
                <span aria-hidden="true"> {status.shape === "warn" ? "▲" : "◆"}</span>
                <span class="hidden-text"> ({status.words})</span>
              </span>
            )}
          </span>
        </>
      ))}
    </span>
  );
}

function otherFigure(name: string, cell: Cell | undefined): string | null {
  const metric = metricByName.value.get(name);
  return metric && cell && cell.value !== null ? figure(cell.value, metric.unit, cell.currency) : null;
}

function ownFigure(field: NonNullable<ContextItem["field"]>, cell: Cell, metric: Metric): string | null {
  if (field === "n") {
    const n = sample(cell);
    return n === null ? null : count(n);
  }
  const value = cell[field];
  if (value === null || value === undefined) return null;
  return field === "p90" ? figure(value, metric.unit, cell.currency) : count(value);
}

function Trend({ tile, goal }: { tile: TileRow; goal: number | null }) {
  const rows = trends.answer.value?.rows;
  if (!rows) return <span class="sparkline" />;
  const points = rows.map((row) => cellOf(row, tile.metric));
  const value = (cell: Cell | null | undefined): number | null => {
    if (!cell || cell.value === null) return null;
    const n = sample(cell);
    return n !== null && n < POINT_MINIMUM ? null : cell.value;
  };
  return (
    <span class={trends.outdated.value ? "refetching" : ""}>
      <Sparkline
        values={points.map(value)}
        previous={compares.value ? points.map((cell) => value(cell?.previous)) : []}
        target={goal}
      />
    </span>
  );
}
