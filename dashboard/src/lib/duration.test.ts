import { expect, test } from "vitest";
import { amountOf, inWords, secondsOf, toDuration, toSeconds } from "./duration";

test("lengths of time go to the API and come back", () => {
  for (const [amount, unit] of [
    [5, "minutes"],
    [36, "hours"],
    [2, "days"],
  ] as const) {
    const seconds = toSeconds(amount, unit);
    expect(secondsOf(toDuration(seconds))).toBe(seconds);
    expect(amountOf(seconds)).toEqual({ amount, unit });
  }
  expect(toDuration(90_061)).toBe("1 01:01:01");
});

test("what the API may have is read", () => {
  expect(secondsOf(90)).toBe(90);
  expect(secondsOf("1 00:00:00")).toBe(86_400);
  expect(secondsOf("soon")).toBeUndefined();
});

test("they are said as people say them", () => {
  expect([3600, 7200, 172_800, 60].map(inWords)).toEqual(["1 hour", "2 hours", "2 days", "1 minute"]);
});
