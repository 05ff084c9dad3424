import { describe, expect, test } from "vitest";
import { convert, fromFlagValue, fromTyped, isWhole, toFlagValue, toTyped } from "./value";

describe("values of flags", () => {
  test("come back from both dialects as they went", () => {
    for (const value of ["", "text", "17", 17, -3, 0, true, false]) {
      expect(fromFlagValue(toFlagValue(value))).toBe(value);
      expect(fromTyped(toTyped(value))).toBe(value);
    }
  });

  test("that look like numbers stay text until somebody says otherwise", () => {
    expect(toFlagValue("17").type).toBe("string");
    expect(convert("17", "number")).toBe(17);
    expect(convert(17, "text")).toBe("17");
  });

  test("that no number field could hold are not numbers", () => {
    expect(isWhole("2147483647")).toBe(true);
    expect(isWhole("2147483648")).toBe(false);
    expect(isWhole("1.5")).toBe(false);
    expect(isWhole("")).toBe(false);
  });
});
