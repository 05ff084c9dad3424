import { expect, test } from "vitest";
import type { Draft } from "./draft";
import { merge } from "./merge";

const base: Draft = {
  enabled: false,
  value: "a",
  weights: {},
  overrides: [
    { segment: 1, enabled: true, value: "one", weights: {} },
    { segment: 2, enabled: true, value: "two", weights: {} },
  ],
};

test("what the other changed and this one did not touch is kept", () => {
  const merged = merge(base, { ...base, enabled: true }, { ...base, value: "b" });
  expect(merged).toEqual({ ...base, enabled: true, value: "b" });
});

test("overrides that came on either side are both there, those that went are gone", () => {
  const mine = {
    ...base,
    overrides: [...base.overrides, { segment: 3, enabled: true, value: "three", weights: {} }],
  };
  const theirs = { ...base, overrides: base.overrides.slice(1) };
  expect(merge(base, mine, theirs).overrides.map((one) => one.segment)).toEqual([2, 3]);
});

test("an override that one removed and the other changed is kept, so that no change is lost", () => {
  const mine = { ...base, overrides: base.overrides.slice(1) };
  const changed = base.overrides.map((one) => (one.segment === 1 ? { ...one, value: "new" } : one));
  expect(
    merge(base, mine, { ...base, overrides: changed }).overrides.find((one) => one.segment === 1)?.value,
  ).toBe("new");
});

test("an order that was changed here wins", () => {
  const mine = { ...base, overrides: [...base.overrides].reverse() };
  expect(merge(base, mine, base).overrides.map((one) => one.segment)).toEqual([2, 1]);
});
