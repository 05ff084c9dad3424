import { describe, expect, test } from "vitest";
import { ApiError } from "./error";

describe("a refusal of the API", () => {
  test("is told by field, however deep the field is", () => {
    const error = new ApiError(400, {
      name: ["Too long."],
      rules: [{ conditions: [{ value: ["Not a pattern."] }] }],
    });
    expect(error.fields).toEqual({ name: "Too long.", "rules.conditions.value": "Not a pattern." });
  });

  test("is one sentence where it is about no field", () => {
    expect(new ApiError(403, { detail: "You may not." }).message).toBe("You may not.");
    expect(new ApiError(400, ["Feature not found."]).message).toBe("Feature not found.");
    expect(new ApiError(400, { non_field_errors: ["Unable to log in."] }).fields).toEqual({});
  });

  test("says something even when the server said nothing", () => {
    for (const status of [0, 403, 404, 418, 429, 500]) {
      expect(new ApiError(status, undefined).message).not.toBe("");
    }
  });
});
