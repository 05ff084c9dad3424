import { describe, expect, test } from "vitest";
import { readAuditSearch, toAuditQuery } from "./search";

describe("what is looked for in the audit log", () => {
  test("is read from an address, without what makes no sense", () => {
    const found = readAuditSearch({
      search: "",
      environments: [3, "x"],
      author: "me",
      about: "NOTHING",
      since: "2026-11-21",
      until: "yesterday",
      page: 1,
    });
    expect(Object.entries(found).filter(([, value]) => value !== undefined)).toEqual([
      ["environments", [3]],
      ["since", "2026-11-21"],
    ]);
  });

  test("takes both days in, from their beginning to their end", () => {
    const query = toAuditQuery({ since: "2026-11-21", until: "2026-11-21" }, 30);
    const [after, before] = [query.created_after, query.created_before].map((time) => Date.parse(time ?? ""));
    expect((before ?? 0) - (after ?? 0)).toBe(24 * 3_600_000);
  });
});
