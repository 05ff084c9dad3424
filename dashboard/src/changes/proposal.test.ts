import { expect, test } from "vitest";
import { changesOf } from "./proposal";

const flag = {
  environment_default: {
    enabled: false,
    value: { type: "string" as const, value: "a" },
    variants: [{ id: 1, weight: 20 }],
  },
  segment_overrides: [
    {
      segment: { id: 7 },
      priority: 0,
      enabled: true,
      value: { type: "integer" as const, value: "3" },
      variants: [],
    },
  ],
};

const none = { type: null, string_value: null, integer_value: null, boolean_value: null };

test("what a request does not mention stays as it is", () => {
  const [change] = changesOf(
    {
      feature: 1,
      live_from: null,
      feature_states_to_create: [],
      feature_states_to_update: [
        { enabled: true, feature_segment: null, multivariate_feature_state_values: [] },
      ],
      segment_ids_to_delete_overrides: [],
    },
    flag,
  );
  expect(change?.after).toEqual({ enabled: true, value: "a", weights: { 1: 20 } });
});

test("new overrides have no before, removed ones no after", () => {
  const changes = changesOf(
    {
      feature: 1,
      live_from: null,
      feature_states_to_create: [
        {
          enabled: true,
          feature_segment: { segment: 9, priority: 0 },
          feature_state_value: { ...none, type: "bool", boolean_value: true },
          multivariate_feature_state_values: [],
        },
      ],
      feature_states_to_update: [],
      segment_ids_to_delete_overrides: [7],
    },
    flag,
  );
  expect(changes[0]).toMatchObject({ segment: 9, before: null, after: { value: true } });
  expect(changes[1]).toMatchObject({ segment: 7, before: { value: 3 }, after: null });
});
