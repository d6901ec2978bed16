import { expect, it } from "vitest";
import { csv, csvCell } from "./csv";

it.each([
  ["plain", "plain"],
  ["a,b", '"a,b"'],
  ['say "hi"', '"say ""hi"""'],
  ["two\nlines", '"two\nlines"'],
  ["=HYPERLINK(1)", "'=HYPERLINK(1)"],
  ["@cmd", "'@cmd"],
  ["+0.31", "+0.31"],
  ["-1+1", "'-1+1"],
])("%j is written as %j", (text, written) => expect(csvCell(text)).toBe(written));

it("writes rows after the columns", () => {
  expect(csv({ columns: ["a", "b"], rows: [["1", "2"]] })).toBe("a,b\r\n1,2\r\n");
});
