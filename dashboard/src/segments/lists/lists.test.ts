import { expect, test } from "vitest";
import { linesOf, listIn, propertyOf } from "./lists";

test("a property leads back to the list it asks for", () => {
  for (const key of ["high-value", "v1.2", "a_b"]) expect(listIn(propertyOf(key))).toBe(key);
  expect(listIn("$.lists.high-value")).toBe("high-value");
  expect(listIn("plan")).toBeUndefined();
  expect(listIn(null)).toBeUndefined();
});

test("members are taken once, without the space around them", () => {
  expect(linesOf(" ann\r\nbob\n\nann \n")).toEqual(["ann", "bob"]);
});
