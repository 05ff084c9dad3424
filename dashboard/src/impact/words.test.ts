import { expect, test } from "vitest";
import { bounds, words } from "./words";

test("an exact number is said as it is", () => {
  const count = { count: 12345, low: 12345, high: 12345 };
  expect(words(count)).toBe("12,345");
  expect(bounds(count)).toBeUndefined();
});

test("an estimate says that it is one, and how far off it may be", () => {
  const count = { count: 12345, low: 11890, high: 12811 };
  expect(words(count)).toBe("about 12,300");
  expect(bounds(count)).toBe("between 11,890 and 12,811");
});
