import { describe, expect, test } from "vitest";
import { changesBetween, type Draft, draftOf, isSound, sameDraft, toChangeSet, toFlag } from "./draft";

const base: Draft = {
  enabled: true,
  value: "blue",
  weights: { 1: 33, 2: 33 },
  overrides: [
    { segment: 10, enabled: true, value: "green", weights: { 1: 0, 2: 0 } },
    { segment: 20, enabled: false, value: 7, weights: { 1: 0, 2: 0 } },
  ],
};

describe("a flag that is edited", () => {
  test("is read in order of priority, with values of the kind they have", () => {
    const view = {
      environment_default: {
        enabled: true,
        value: { type: "integer" as const, value: "5" },
        variants: [{ id: 1, weight: 40 }],
      },
      segment_overrides: [
        { segment: { id: 2 }, priority: 4, enabled: true, value: null, variants: [] },
        {
          segment: { id: 3 },
          priority: 1,
          enabled: false,
          value: { type: "boolean" as const, value: "True" },
          variants: [],
        },
      ],
    };
    const draft = draftOf(view);
    expect(draft.value).toBe(5);
    expect(draft.weights).toEqual({ 1: 40 });
    expect(draft.overrides.map((override) => [override.segment, override.value])).toEqual([
      [3, true],
      [2, null],
    ]);
  });

  test("has no changes while nothing changed", () => {
    expect(sameDraft(base, structuredClone(base))).toBe(true);
  });

  test("tells a changed default, a moved, a new and a removed override apart", () => {
    const draft = structuredClone(base);
    draft.enabled = false;
    draft.overrides = [
      { ...(base.overrides[1] as Draft["overrides"][number]) },
      { segment: 30, enabled: true, value: "red", weights: {} },
    ];
    const changes = changesBetween(base, draft);
    expect(changes.map((change) => [change.segment, Boolean(change.before), Boolean(change.after)])).toEqual([
      [null, true, true],
      [20, true, true],
      [30, false, true],
      [10, true, false],
    ]);
    expect(changes[1]?.priority).toEqual({ before: 2, after: 1 });
  });

  test("goes live whole, its overrides numbered in their order", () => {
    const flag = toFlag(base, base);
    expect(flag.environment_default).toEqual({
      enabled: true,
      value: { type: "string", value: "blue" },
      variants: [
        { id: 1, weight: 33 },
        { id: 2, weight: 33 },
      ],
    });
    expect(flag.segment_overrides?.map((override) => [override.segment.id, override.priority])).toEqual([
      [10, 0],
      [20, 1],
    ]);
  });

  test("without a value stays without one", () => {
    const empty: Draft = { enabled: false, value: null, weights: {}, overrides: [] };
    expect(toFlag({ ...empty, enabled: true }, empty).environment_default).toEqual({ enabled: true });
    expect(toFlag({ ...empty, value: "" }, { ...empty, value: "x" }).environment_default?.value).toEqual({
      type: "string",
      value: "",
    });
  });

  test("waits as its difference alone", () => {
    const draft = structuredClone(base);
    draft.overrides.splice(0, 1);
    draft.overrides.push({ segment: 30, enabled: true, value: true, weights: {} });
    const set = toChangeSet(5, draft, base);
    expect(set.feature).toBe(5);
    expect(set.segment_ids_to_delete_overrides).toEqual([10]);
    expect(set.feature_states_to_create).toMatchObject([
      {
        feature_segment: { segment: 30, priority: 1 },
        feature_state_value: { type: "bool", boolean_value: true },
      },
    ]);
    expect(set.feature_states_to_update).toMatchObject([{ feature_segment: { segment: 20, priority: 0 } }]);
  });

  test("can't give away more than there is", () => {
    expect(isSound(base)).toBe(true);
    expect(isSound({ ...base, weights: { 1: 60, 2: 50 } })).toBe(false);
  });
});
