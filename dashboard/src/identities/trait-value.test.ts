import { expect, test } from "vitest";
import { problemOf, textOf, toBody } from "./trait-value";

const trait = {
  id: 1,
  trait_key: "k",
  created_date: "",
  integer_value: null,
  string_value: null,
  boolean_value: null,
  float_value: null,
};

test("a trait comes back as the kind it was written as", () => {
  expect(textOf({ ...trait, value_type: "int", integer_value: 0 })).toBe("0");
  expect(textOf({ ...trait, value_type: "bool", boolean_value: false })).toBe("false");
  expect(textOf({ ...trait, value_type: "unicode", string_value: "0" })).toBe("0");
  expect(toBody("k", "int", "12")).toEqual({ trait_key: "k", value_type: "int", integer_value: 12 });
  expect(toBody("k", "unicode", "12")).toEqual({ trait_key: "k", value_type: "unicode", string_value: "12" });
});

test("numbers that a browser would round are refused, not changed", () => {
  expect(problemOf("int", "9007199254740993")).toBeTruthy();
  expect(problemOf("int", "1.5")).toBeTruthy();
  expect(problemOf("float", "")).toBeTruthy();
  expect(problemOf("unicode", "")).toBeUndefined();
});
