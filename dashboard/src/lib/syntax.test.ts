import { expect, test } from "vitest";
import { checkSyntax } from "./syntax";

test("values are checked as what they begin like", async () => {
  expect(await checkSyntax('{"a": 1}')).toEqual({ name: "JSON", error: undefined });
  expect((await checkSyntax('{"a": }'))?.error).toBeTruthy();
  expect(await checkSyntax("a: 1\nb:\n  - 2")).toEqual({ name: "YAML", error: undefined });
  expect((await checkSyntax("a: [1\nb: 2"))?.error).toBeTruthy();
  expect((await checkSyntax("<a><b/></a>"))?.name).toBe("XML");
});

test("plain text is nobody's business", async () => {
  for (const text of ["", "Welcome!", "12:30", "a sentence: with a colon", "- one dash"]) {
    expect(await checkSyntax(text)).toBeNull();
  }
});
