import { beforeEach, describe, expect, it } from "vitest";
import * as f from "./format";

beforeEach(() => f.setLocale("en-US"));

/** Durations hold no-break spaces between a number and its unit. */
const plain = (text: string): string => text.replaceAll("\u00a0", " ");

describe("percent", () => {
  it.each([
    [0.582, "58.2%"],
    [0.0042, "0.42%"],
    [0.0199, "1.99%"],
    [0.02, "2.0%"],
    [0, "0.0%"],
    [1, "100.0%"],
  ])("%f is %s", (value, text) => expect(f.percent(value)).toBe(text));
});

describe("duration", () => {
  it.each([
    [0, "0 s"],
    [42.4, "42 s"],
    [59.6, "1 m"],
    [252, "4 m 12 s"],
    [240, "4 m"],
    [599, "9 m 59 s"],
    [600, "10 m"],
    [1080, "18 m"],
    [3599, "1 h"],
    [13680, "3 h 48 m"],
    [86399, "1 d"],
    [187200, "2 d 4 h"],
    [-38, "−38 s"],
  ])("%f s is %s", (value, text) => expect(plain(f.duration(value))).toBe(text));

  it("never has more than two units", () => {
    for (let s = 0; s < 400_000; s += 37) expect(f.duration(s).match(/[a-z]/gu)!.length).toBeLessThanOrEqual(2);
  });
});

describe("money", () => {
  it.each([
    [0.7, "$0.70"],
    [51.5, "$51.50"],
    [168713.6, "$168,714"],
    [-12, "−$12.00"],
  ])("%f is %s", (value, text) => expect(f.money(value, "USD")).toBe(text));

  it("takes a currency that the browser does not know", () => expect(f.money(5, "points")).toBe("5.00 points"));
});

it("writes counts in full, in the viewer's locale", () => {
  expect(f.count(248310)).toBe("248,310");
  expect(f.compact(248310)).toBe("248.3K");
  f.setLocale("de-DE");
  expect(f.count(248310)).toBe("248.310");
  expect(f.percent(0.582)).toBe("58,2%");
});

it("signs scores with a real minus", () => {
  expect(f.score(0.31)).toBe("+0.31");
  expect(f.score(-0.62)).toBe("−0.62");
  expect(f.score(-0.001)).toBe("0.00");
});

describe("figure", () => {
  it("writes a dash for what is not there", () => {
    for (const value of [null, undefined, Number.NaN]) expect(f.figure(value, "ratio")).toBe(f.MISSING);
  });
  it.each([
    ["4\u00a0m 12\u00a0s", [["4", false], ["m ", true], ["12", false], ["s", true]]],
    ["58.2%", [["58.2", false], ["%", true]]],
    ["1,284", [["1,284", false]]],
    ["−38\u00a0s", [["−38", false], ["s", true]]],
    ["+0.31", [["+0.31", false]]],
    ["–", [["–", false]]],
  ] as const)("splits %s into digits and units", (text, parts) =>
    expect(f.figureParts(text).map((p) => [p.text, p.unit])).toEqual(parts),
  );
});

describe("delta", () => {
  it.each([
    [0.968, 0.977, "ratio", "▼ 0.9 pt"],
    [0.0136, 0.0125, "ratio", "▲ 0.11 pt"],
    [252, 290, "seconds", "▼ 38 s"],
    [41, 41, "count", "no change"],
    [0.5821, 0.5822, "ratio", "no change"],
    [0.31, 0.27, "score", "▲ 0.04"],
  ] as const)("%f after %f (%s) is %s", (value, before, unit, text) =>
    expect(plain(f.delta(value, before, unit))).toBe(text),
  );
  it("knows which way is better", () => {
    expect(f.better(10, 20, "down")).toBe(1);
    expect(f.better(10, 20, "up")).toBe(-1);
    expect(f.better(10, 20, "neutral")).toBe(0);
  });
});

it("writes targets as the round numbers they are", () => {
  expect(plain(f.target(300, "seconds", "down"))).toBe("≤ 5 m");
  expect(f.target(0.98, "ratio", "up")).toBe("≥ 98%");
  expect(f.target(0.985, "ratio", "up")).toBe("≥ 98.5%");
  expect(f.target(0.005, "ratio", "down")).toBe("≤ 0.5%");
});

it("writes times in the asked zone", () => {
  expect(f.clock("2026-11-21T23:30:00Z", "Europe/Berlin")).toBe("00:30");
  expect(f.day("2026-11-21T23:30:00Z", "Europe/Berlin")).toBe("Nov 22");
  expect(f.bucket("2026-11-21T23:30:00Z", "day", "UTC")).toBe("Nov 21");
});
