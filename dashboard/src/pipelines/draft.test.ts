import { expect, test } from "vitest";
import { actionInWords, actionOf, newStage, type Pipeline, problemOf, stagesOf, toBody } from "./draft";

const stages = [
  {
    name: "Later",
    environment: 2,
    order: 1,
    trigger: { trigger_type: "WAIT_FOR", trigger_body: { wait_for: "1 00:00:00" } },
    actions: [
      {
        action_type: "PHASED_ROLLOUT",
        action_body: { initial_split: 5, increase_by: 20, increase_every: "06:00:00" },
      },
    ],
  },
  {
    name: "First",
    environment: 1,
    order: 0,
    trigger: { trigger_type: "ON_ENTER", trigger_body: null },
    actions: [
      { action_type: "TOGGLE_FEATURE", action_body: { enabled: true } },
      {
        action_type: "UPDATE_FEATURE_VALUE_FOR_SEGMENT",
        action_body: { feature_state_value: "gold", segment_id: 7 },
      },
    ],
  },
];

test("stages that are edited and not changed are written as they were, in their order", () => {
  expect(toBody(stagesOf({ stages } as unknown as Pipeline))).toEqual([stages[1], stages[0]]);
});

test("values are read in every form that the API takes", () => {
  const value = (action_body: unknown) =>
    actionOf({ id: 1, action_type: "UPDATE_FEATURE_VALUE", action_body } as never).value;
  expect(value({ feature_state_value: 7 })).toBe(7);
  expect(value({ value: true })).toBe(true);
  expect(value({ type: "integer", value: "7" })).toBe(7);
  expect(value({ feature_state_value: { type: "unicode", string_value: "on" } })).toBe("on");
});

test("a stage says what it is missing, and what it does", () => {
  const stage = newStage(1, 1);
  expect(problemOf(stage)).toBeUndefined();
  expect(problemOf({ ...stage, name: " " })).toBeDefined();
  const [action] = stage.actions;
  if (!action) throw new Error("a new stage has an action");
  const forSegment = { ...action, kind: "TOGGLE_FEATURE_FOR_SEGMENT" as const };
  expect(problemOf({ ...stage, actions: [forSegment] })).toBe("For which segment?");
  expect(actionInWords({ ...forSegment, segment: 3 }, () => "gold")).toBe("Turns it on for gold");
});
