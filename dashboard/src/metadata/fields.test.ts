import { expect, test } from "vitest";
import { problemOf, toMetadata, valuesOf } from "./fields";

test("what is said in a field comes back as it was, and nothing is said in an empty one", () => {
  const metadata = [
    { id: 1, model_field: 7, field_value: "payments" },
    { id: 2, model_field: 8, field_value: "5" },
  ];
  expect(toMetadata({ ...valuesOf(metadata), 8: "" })).toEqual([{ model_field: 7, field_value: "payments" }]);
  expect(valuesOf(undefined)).toEqual({});
});

test("numbers and addresses are checked while they are typed", () => {
  expect(problemOf("int", "5x")).toBeDefined();
  expect(problemOf("int", "-5")).toBeUndefined();
  expect(problemOf("url", "example")).toBeDefined();
  expect(problemOf("url", "https://example.com/x")).toBeUndefined();
  expect(problemOf("str", "anything")).toBeUndefined();
});
