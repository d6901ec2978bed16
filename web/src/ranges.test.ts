import { expect, it } from "vitest";
import { rangeOf } from "./ranges";

const now = new Date("2026-11-21T23:30:00Z");

it("asks for the last days by default and for ids it does not know", () => {
  expect(rangeOf("7d", "", "", "UTC", now).question).toEqual({ last: "7d" });
  expect(rangeOf("<script>", "", "", "UTC", now).question).toEqual({ last: "7d" });
});

it("starts today at midnight of the asked zone", () => {
  expect(rangeOf("today", "", "", "UTC", now).question).toEqual({ from: "2026-11-21" });
  expect(rangeOf("today", "", "", "Europe/Berlin", now).question).toEqual({ from: "2026-11-22" });
});

it("includes the last day of a custom range", () => {
  const range = rangeOf("custom", "2026-10-30", "2026-10-31", "UTC", now);
  expect(range.question).toEqual({ from: "2026-10-30", to: "2026-11-01" });
  expect(range.ended).toBe(true);
  expect(range.interval).toBe("hour");
});

it("keeps a custom range live while its last day lasts", () => {
  expect(rangeOf("custom", "2026-11-01", "2026-11-21", "UTC", now).ended).toBe(false);
  expect(rangeOf("custom", "2026-11-01", "2026-11-21", "Europe/Berlin", now).ended).toBe(true);
});

it("falls back where the dates are unusable", () => {
  for (const [from, to] of [["2026-11-05", "2026-11-01"], ["x", "y"], ["2026-13-01", "2026-13-02"]] as const) {
    expect(rangeOf("custom", from, to, "UTC", now).question).toEqual({ last: "7d" });
  }
});
