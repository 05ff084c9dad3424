import { expect, test } from "vitest";
import { isAsked, readQuestion, rowProblem, rowsOf, toBody, traitsOf } from "./question";

test("an address is read, and what it does not understand is left out", () => {
  expect(
    readQuestion({ identifier: 7, traits: { plan: "pro", age: 30, beta: true, odd: [1] }, special: "yes" }),
  ).toEqual({
    identifier: "7",
    traits: { plan: "pro", age: 30, beta: true },
    q: undefined,
    special: undefined,
    open: undefined,
  });
  expect(isAsked(readQuestion({ traits: [1] }))).toBe(false);
  expect(isAsked(readQuestion({ traits: { plan: "" } }))).toBe(true);
});

test("rows keep the kinds of traits there and back", () => {
  const traits = { plan: "007", age: 30, score: 1.5, beta: false };
  const rows = rowsOf(traits);
  expect(rows.map((row) => row.kind)).toEqual(["unicode", "int", "float", "bool"]);
  expect(traitsOf(rows)).toEqual(traits);
  expect(traitsOf([{ key: 1, name: " ", kind: "int", text: "x" }])).toBeUndefined();
});

test("a number that is none is told", () => {
  expect(rowProblem({ key: 1, name: "age", kind: "int", text: "x" })).toBeDefined();
  expect(rowProblem({ key: 1, name: "", kind: "int", text: "x" })).toBeUndefined();
});

test("nothing of a question is to be stored", () => {
  expect(toBody({ identifier: "ann", traits: { plan: "pro" } })).toEqual({
    identifier: "ann",
    traits: [{ trait_key: "plan", trait_value: "pro", transient: true }],
  });
  expect(toBody({ traits: { plan: "pro" } })).not.toHaveProperty("identifier");
});
