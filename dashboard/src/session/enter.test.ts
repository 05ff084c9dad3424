import { expect, test } from "vitest";
import { ownPath } from "./enter";

test("after signing in nobody is sent to another site", () => {
  expect(ownPath("/project/1?x=1")).toBe("/project/1?x=1");
  for (const elsewhere of [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    undefined,
  ]) {
    expect(ownPath(elsewhere)).toBeUndefined();
  }
});
