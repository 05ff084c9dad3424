import { expect, test } from "vitest";
import { addressOf, fileName, kindOf } from "./files";

test("parameters are written so that no name leads elsewhere", () => {
  const path = "/api/v1/environments/{environment_key}/list-segments/{segment_key}/members/upload/";
  expect(
    addressOf(path, {
      path: { environment_key: "a/b", segment_key: "high value?" },
      query: { mode: "add", context_kind: undefined, side: "a&b" },
    }),
  ).toBe("/api/v1/environments/a%2Fb/list-segments/high%20value%3F/members/upload/?mode=add&side=a%26b");
});

test("files say by their names what they are", () => {
  const kind = (name: string) => kindOf(new File([], name));
  expect(["a.csv", "a.NDJSON", "a.jsonl", "a.csv.gz", "a.json", "members"].map(kind)).toEqual([
    "text/csv",
    "application/x-ndjson",
    "application/x-ndjson",
    "application/gzip",
    "application/json",
    "text/csv",
  ]);
});

test("names of downloads have nothing that a system refuses", () => {
  expect(fileName("Web shop / é", "2026.ndjson")).toBe("Web-shop-é-2026.ndjson");
});
