/** CSV files of what a panel shows. */
import type { Table } from "./frame";

// A cell that begins so is run as a formula by spreadsheets, and names come from data.
const FORMULA = /^[=+\-@\t\r]/u;
const NUMBER = /^[+-][\d.,]+%?$/u;

export function csvCell(text: string): string {
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\n\r]/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csv(table: Table): string {
  return [table.columns, ...table.rows].map((row) => row.map(csvCell).join(",")).join("\r\n") + "\r\n";
}

export function download(title: string, table: Table): void {
  const link = document.createElement("a");
  // The byte order mark makes spreadsheets read the file as UTF-8.
  link.href = URL.createObjectURL(new Blob(["\ufeff", csv(table)], { type: "text/csv" }));
  link.download = `tickertape-${title.toLowerCase().replaceAll(/[^a-z0-9]+/gu, "-")}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
