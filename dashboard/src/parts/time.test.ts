import { expect, test } from "vitest";
import { fromNow } from "./time";

const NOW = Date.parse("2026-06-01T12:00:00Z");
const MINUTE = 60_000;
const words = (minutes: number) => fromNow(new Date(NOW + minutes * MINUTE).toISOString(), NOW);

test("moments are said in the largest unit that they fill", () => {
  expect(words(0)).toBe("just now");
  expect(words(-0.5)).toBe("just now");
  expect(words(-1)).toBe("1 minute ago");
  expect(words(-50)).toBe("50 minutes ago");
  expect(words(-59)).toBe("1 hour ago");
  expect(words(-26 * 60)).toBe("1 day ago");
  expect(words(-45 * 24 * 60)).toBe("2 months ago");
  expect(words(-400 * 24 * 60)).toBe("1 year ago");
  expect(words(0.5)).toBe("in a moment");
  expect(words(2 * 24 * 60)).toBe("in 2 days");
});
