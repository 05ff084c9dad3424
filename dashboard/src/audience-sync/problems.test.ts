import { describe, expect, test } from "vitest";
import { ApiError } from "~/api/error";
import { problemsOf } from "./problems";

describe("what was refused", () => {
  test("lands on the field it is about, also where a sync told of it", () => {
    const error = new ApiError(400, {
      token: ["Must be given in full."],
      "syncs.daily.path": ["must lie inside the folder for files"],
      "syncs.daily.map": ["`identifier` is required"],
    });
    expect(problemsOf(error, ["token", "path"])).toEqual({
      fields: { token: "Must be given in full.", path: "must lie inside the folder for files" },
      general: ["syncs.daily.map: `identifier` is required"],
    });
  });

  test("keeps the whole place where the field is part of a setting", () => {
    const error = new ApiError(400, { "schedule.cron": ["needs five fields"] });
    expect(problemsOf(error, ["schedule.cron"]).fields).toEqual({ "schedule.cron": "needs five fields" });
  });

  test("is one sentence where it is about no field, and nothing where nothing was refused", () => {
    expect(problemsOf(new ApiError(403, undefined), ["token"]).general).toHaveLength(1);
    expect(problemsOf(null, ["token"])).toEqual({ fields: {}, general: [] });
  });
});
