import { expect, it } from "vitest";
import { patch, rowKey, settle } from "./answers";
import type { Answer } from "./types";

const answer = (as_of: string, sms: number, email: number): Answer => ({
  from: "",
  to: "",
  timezone: "UTC",
  metrics: {},
  as_of,
  rows: [
    { channel: "sms", sent: { value: sms }, failed: { value: 1 } },
    { channel: "email", sent: { value: email }, failed: { value: 2 } },
  ],
});

it("lays changed cells over an answer and keeps the rest", () => {
  const before = answer("2026-01-01T00:00:01Z", 10, 20);
  const after = patch(before, { as_of: "2026-01-01T00:00:02Z", rows: [{ channel: "sms", sent: { value: 11 } }] });
  expect(after.rows[0]).toEqual({ channel: "sms", sent: { value: 11 }, failed: { value: 1 } });
  expect(after.rows[0]!.failed).toBe(before.rows[0]!.failed);
  expect(after.rows[1]).toBe(before.rows[1]);
  expect(after.as_of).toBe("2026-01-01T00:00:02Z");
});

it("adds rows that are new", () => {
  const after = patch(answer("2026-01-01T00:00:01Z", 1, 1), { as_of: "2026-01-01T00:00:02Z", rows: [{ channel: "push", sent: { value: 3 } }] });
  expect(after.rows).toHaveLength(3);
});

it("leaves out an update older than the answer", () => {
  const before = answer("2026-01-01T00:00:02Z", 10, 20);
  expect(patch(before, { as_of: "2026-01-01T00:00:01Z", rows: [{ channel: "sms", sent: { value: 1 } }] })).toBe(before);
});

it("reuses equal cells of the old answer", () => {
  const old = answer("2026-01-01T00:00:01Z", 10, 20);
  const fresh = settle(old, answer("2026-01-01T00:00:02Z", 10, 21));
  expect(fresh.rows[0]!.sent).toBe(old.rows[0]!.sent);
  expect(fresh.rows[1]!.sent).toEqual({ value: 21 });
});

it("tells rows apart by dimensions and start, whatever their order", () => {
  expect(rowKey({ a: 1, b: null, m: { value: 1 } })).toBe(rowKey({ m: { value: 2 }, b: null, a: 1 }));
  expect(rowKey({ channel: null })).not.toBe(rowKey({ channel: "null" }));
});
