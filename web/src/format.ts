/**
 * How every number on the page is written: tiles, tables, chart readings and exports use nothing else.
 *
 * Figures arrive as the API gives them: ratios as fractions 0..1, durations in seconds.
 */
import type { Cell, Good, Unit } from "./types";

/** Part of a written figure; units are set smaller than digits on tiles. */
export interface Part {
  text: string;
  unit: boolean;
}

export const MISSING = "–";
const MINUS = "−";

const formats = new Map<string, Intl.NumberFormat>();

function numberFormat(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = JSON.stringify(options);
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.NumberFormat(locale, options)));
  return format;
}

let locale: string | undefined;

/** The viewer's locale is the browser's own; tests set another. */
export function setLocale(name: string | undefined): void {
  locale = name;
  formats.clear();
}

export function viewerLocale(): string | undefined {
  return locale;
}

function fixed(value: number, digits: number): string {
  const shown = numberFormat({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(Math.abs(value));
  return value < 0 && Number(value.toFixed(digits)) !== 0 ? MINUS + shown : shown;
}

/** Decimals of a percentage: one, but two below 2 %, where one would hide the movement. */
export function percentDigits(fraction: number): number {
  const percent = Math.abs(fraction * 100);
  return percent > 0 && percent < 2 ? 2 : 1;
}

export function percent(fraction: number, digits = percentDigits(fraction)): string {
  return `${fixed(fraction * 100, digits)}%`;
}

export function count(value: number): string {
  return fixed(value, 0);
}

export function compact(value: number): string {
  return numberFormat({ notation: "compact", maximumFractionDigits: 1 }).format(value);
}

/** Money in the workspace's currency: cents below 100, whole units above. */
export function money(value: number, currency: string): string {
  const digits = Math.abs(value) < 100 ? 2 : 0;
  try {
    return numberFormat({
      style: "currency",
      currency,
      currencyDisplay: "narrowSymbol",
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    })
      .format(value)
      .replace("-", MINUS);
  } catch {
    // A currency code that this browser does not know must not blank the page.
    return `${fixed(value, digits)} ${currency}`;
  }
}

export function score(value: number, digits = 2): string {
  const shown = fixed(value, digits);
  return value > 0 && Number(value.toFixed(digits)) !== 0 ? `+${shown}` : shown;
}

const MINUTE = 60;
const HOUR = 3600;

function durationParts(seconds: number): [number, string][] {
  const s = Math.round(Math.abs(seconds));
  if (s < MINUTE) return [[s, "s"]];
  if (s < 10 * MINUTE) return [[Math.floor(s / MINUTE), "m"], [s % MINUTE, "s"]];
  const minutes = Math.round(s / MINUTE);
  if (minutes < 60) return [[minutes, "m"]];
  if (minutes < 24 * 60) return [[Math.floor(minutes / 60), "h"], [minutes % 60, "m"]];
  const hours = Math.round(s / HOUR);
  return [[Math.floor(hours / 24), "d"], [hours % 24, "h"]];
}

/** Two units at most; seconds are dropped from ten minutes on. Spaces do not break. */
export function duration(seconds: number): string {
  const shown = durationParts(seconds)
    .filter(([amount], index) => index === 0 || amount > 0)
    .map(([amount, unit]) => `${amount}\u00a0${unit}`)
    .join(" ");
  return seconds < 0 && Math.round(seconds) !== 0 ? MINUS + shown : shown;
}

/** One figure by its unit; `currency` is needed for money alone. */
export function figure(value: number | null | undefined, unit: Unit, currency?: string | null): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  switch (unit) {
    case "ratio":
      return percent(value);
    case "seconds":
      return duration(value);
    case "money":
      return money(value, currency ?? "USD");
    case "score":
      return Math.abs(value) <= 1 ? score(value) : fixed(value, 1);
    case "count":
      return Number.isInteger(value) ? count(value) : fixed(value, 1);
  }
}

/** The written figure split so that units can be set smaller: `4 m 12 s` → 4, m, 12, s. */
export function figureParts(text: string): Part[] {
  return [...text.matchAll(/[\d.,\s\u202f'’−+-]*\d|[^\d]+/gu)].map(([piece]) => {
    const trimmed = piece.replace(/\u00a0/gu, "");
    return { text: trimmed, unit: /^(?:[smhd%]|\s)+$/u.test(trimmed) };
  });
}

/** How far a figure moved, with its arrow: points for ratios, in the decimals of the value itself. */
export function delta(value: number, previous: number, unit: Unit, currency?: string | null): string {
  const difference = value - previous;
  const arrow = difference > 0 ? "▲" : difference < 0 ? "▼" : "";
  const size = Math.abs(difference);
  let shown: string;
  if (unit === "ratio") {
    // Not rounded below 2 %: the change has the same decimals as the value beside it.
    shown = `${fixed(size * 100, percentDigits(value))} pt`;
  } else if (unit === "score") {
    shown = fixed(size, Math.abs(value) <= 1 ? 2 : 1);
  } else {
    shown = figure(size, unit, currency);
  }
  if (!/[1-9]/u.test(shown)) return "no change";
  return `${arrow} ${shown}`;
}

/** Whether a move is for the better (1), for the worse (-1) or neither (0). */
export function better(value: number, previous: number, good: Good): number {
  if (good === "neutral") return 0;
  return Math.sign(value - previous) * (good === "up" ? 1 : -1);
}

/** `≥ 98%` or `≤ 5 m`: a target with the side that is good. */
export function target(value: number, unit: Unit, good: Good, currency?: string | null): string {
  const sign = good === "up" ? "≥" : good === "down" ? "≤" : "";
  let shown = unit === "ratio" ? trimZeros(value) : figure(value, unit, currency);
  if (unit === "seconds") shown = duration(value);
  return `${sign} ${shown}`.trim();
}

// A target is a chosen round number: "98%" reads better than "98.0%".
function trimZeros(fraction: number): string {
  return `${numberFormat({ maximumFractionDigits: percentDigits(fraction) }).format(fraction * 100)}%`;
}

/** The sample a figure rests on, or null where the unit has none. */
export function sample(cell: Cell): number | null {
  return cell.denominator ?? cell.n ?? null;
}

const dates = new Map<string, Intl.DateTimeFormat>();

function dateFormat(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale}|${zone}|${JSON.stringify(options)}`;
  let format = dates.get(key);
  if (!format) dates.set(key, (format = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone })));
  return format;
}

/** `12:40` in the given zone. */
export function clock(at: Date | string, zone: string): string {
  return dateFormat(zone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(at));
}

/** `Nov 15` in the given zone. */
export function day(at: Date | string, zone: string): string {
  return dateFormat(zone, { month: "short", day: "numeric" }).format(new Date(at));
}

/** A bucket's start as its interval needs it: a time within a day, a date above. */
export function bucket(at: string, interval: string, zone: string): string {
  return interval === "minute" || interval === "15m" || interval === "hour"
    ? `${day(at, zone)}, ${clock(at, zone)}`
    : day(at, zone);
}
