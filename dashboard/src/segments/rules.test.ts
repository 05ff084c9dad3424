import { describe, expect, test } from "vitest";
import {
  asVersion,
  emptyCondition,
  fromList,
  type Operator,
  problemOf,
  rulesOf,
  toBody,
  toList,
} from "./rules";

const view = [
  {
    id: 1,
    type: "ALL" as const,
    conditions: [{ id: 9, operator: "IS_SET" as const, property: "plan", value: null, description: null }],
    rules: [
      {
        id: 2,
        type: "ANY" as const,
        conditions: [
          { id: 3, operator: "IN" as const, property: "plan", value: "pro,team", description: "paid" },
        ],
      },
      {
        id: 4,
        type: "NONE" as const,
        conditions: [
          { id: 5, operator: "PERCENTAGE_SPLIT" as const, property: null, value: "10", description: null },
        ],
      },
    ],
  },
];

describe("rules of a segment", () => {
  test("keep their nesting, their kinds and their words", () => {
    const [rule] = toBody(rulesOf(view));
    expect(rule?.type).toBe("ALL");
    expect(rule?.rules?.map((group) => group.type)).toEqual(["ANY", "NONE", "ALL"]);
    expect(rule?.rules?.[0]?.conditions?.[0]).toEqual({
      operator: "IN",
      property: "plan",
      value: "pro,team",
      description: "paid",
    });
    expect(rule?.rules?.[1]?.conditions?.[0]).toMatchObject({ property: null, value: "10" });
  });

  test("hold lists whose members have commas", () => {
    expect(toList("a,b")).toEqual(["a", "b"]);
    expect(fromList(["a", "b"])).toBe("a,b");
    const awkward = ["Paris, France", "[x]"];
    expect(toList(fromList(awkward))).toEqual(awkward);
    expect(toList("")).toEqual([]);
  });

  test("mark versions once", () => {
    expect(asVersion("1.2.3", true)).toBe("1.2.3:semver");
    expect(asVersion("1.2.3:semver", true)).toBe("1.2.3:semver");
    expect(asVersion("1.2.3:semver", false)).toBe("1.2.3");
  });

  test("say what is missing before they are sent", () => {
    const check = (operator: Operator, property: string, value: string) =>
      problemOf({ ...emptyCondition(), operator, property, value });
    expect(check("EQUAL", "", "x")).toBeTruthy();
    expect(check("EQUAL", "plan", "")).toBeTruthy();
    expect(check("EQUAL", "plan", "pro")).toBeUndefined();
    expect(check("IS_SET", "plan", "")).toBeUndefined();
    expect(check("PERCENTAGE_SPLIT", "", "110")).toBeTruthy();
    expect(check("PERCENTAGE_SPLIT", "", "50")).toBeUndefined();
    expect(check("MODULO", "age", "0|1")).toBeTruthy();
    expect(check("MODULO", "age", "2|1")).toBeUndefined();
    expect(check("REGEX", "email", "(")).toBeTruthy();
  });
});
