import { expect, it } from "vitest";
import { fullness } from "./status";
import { HEADLINE_METRICS, TILES } from "./tiles";

it("has ten tiles, each metric once", () => {
  expect(TILES).toHaveLength(10);
  expect(new Set(TILES.map((t) => t.metric)).size).toBe(10);
  expect(new Set(HEADLINE_METRICS).size).toBe(HEADLINE_METRICS.length);
});

it("gives every context item a figure", () => {
  for (const item of TILES.flatMap((t) => t.context)) expect(Boolean(item.field) !== Boolean(item.metric)).toBe(true);
});

it("shows a figure only with enough samples", () => {
  expect(fullness({ value: 0.5, denominator: 23 }, 30)).toBe("thin");
  expect(fullness({ value: 0.5, denominator: 30 }, 30)).toBe("full");
  expect(fullness({ value: null, denominator: 0 }, 30)).toBe("empty");
  expect(fullness({ value: 0 }, 0)).toBe("full");
  expect(fullness(undefined, 0)).toBe("empty");
});
