/** A panel: heading, its chart, the same figures as a table, and a CSV file of that table. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";
import type { Panel } from "../panel";
import { download } from "./csv";
import { Icon } from "./marks";

export interface Table {
  columns: readonly string[];
  rows: readonly (readonly string[])[];
}

interface Props {
  title: string;
  subtitle?: string;
  span: string;
  panel: Panel;
  /** The drawn figures as text; the chart is left out of the page while the table shows. */
  table: Table;
  /** The panel is a table already, so that only the file is offered. */
  tabular?: boolean;
  /** Said in place of the chart when there is nothing to draw. */
  empty?: string | null;
  children: ComponentChildren;
}

export function PanelFrame({ title, subtitle, span, panel, table, tabular, empty, children }: Props) {
  const asTable = useSignal(false);
  const region = useRef<HTMLDivElement>(null);
  const id = useId();
  const { answer, error, loading, outdated } = panel;
  const toggle = (): void => {
    asTable.value = !asTable.value;
    if (asTable.value) requestAnimationFrame(() => region.current?.focus());
  };
  const has = answer.value !== null && table.rows.length > 0;
  return (
    <section class={`panel ${span}`} aria-labelledby={id} aria-busy={loading.value && !answer.value}>
      <div class="panel-head">
        <h2 id={id}>{title}</h2>
        {subtitle && <span class="subtitle">{subtitle}</span>}
        <div class="actions">
          {has && !tabular && (
            <button
              class="button ghost small square"
              aria-pressed={asTable.value}
              aria-label={`Show ${title} as a table`}
              title="Show as table"
              onClick={toggle}
            >
              <Icon name="table" />
            </button>
          )}
          {has && (
            <button
              class="button ghost small square"
              aria-label={`Download ${title} as CSV`}
              title="Download CSV"
              onClick={() => download(title, table)}
            >
              <Icon name="down" />
            </button>
          )}
        </div>
      </div>
      {error.value && (
        <p class="panel-note">
          <span class="bad">Could not load: {error.value.message}.</span>{" "}
          <button class="link" onClick={() => void panel.refresh()}>
            Retry
          </button>
        </p>
      )}
      <div class={`panel-body${outdated.value ? " refetching" : ""}`}>
        {!answer.value ? (
          !error.value && <span class="skeleton tall" />
        ) : empty ? (
          <p class="nothing">{empty}</p>
        ) : asTable.value ? (
          <div class="twin" ref={region} tabIndex={0} role="region" aria-label={`${title} as a table`}>
            <PlainTable table={table} />
          </div>
        ) : (
          children
        )}
      </div>
    </section>
  );
}

export function PlainTable({ table }: { table: Table }) {
  return (
    <table>
      <thead>
        <tr>
          {table.columns.map((column, index) => (
            <th key={index} scope="col" class={index ? "right" : ""}>
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {table.rows.map((row, r) => (
          <tr key={r}>
            {row.map((text, c) =>
              c === 0 ? (
                <th key={c} scope="row">
                  {text}
                </th>
              ) : (
                <td key={c} class="right">
                  {text}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
