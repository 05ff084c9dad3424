import { expect, test } from "vitest";
import { controlShare, controlValue, evenly, type Feature, rolloutOf, toBody } from "./rollout";

const options = [{ id: 1 }, { id: 2 }] as Feature["multivariate_options"];

test("variants share the traffic evenly with the control until somebody says otherwise", () => {
  const rollout = evenly(options);
  expect(rollout.shares).toEqual({ 1: 33, 2: 33 });
  expect(controlShare(rollout)).toBe(34);
});

test("what is written is what is read again", () => {
  const rollout = { traffic: 20, shares: { 1: 50, 2: 10 } };
  expect(rolloutOf(toBody(controlValue({ initial_value: "x" }), rollout), options)).toEqual(rollout);
});

test("the control gets the first value of the feature, as what it looks like", () => {
  expect(controlValue({ initial_value: "7" })).toEqual({ type: "integer", value: "7" });
  expect(controlValue({ initial_value: "true" })).toEqual({ type: "boolean", value: "true" });
  expect(controlValue({ initial_value: null })).toEqual({ type: "string", value: "" });
});
