import { describe, expect, test } from "vitest";
import { countFilters, readFilters, toQuery } from "./filters";

describe("filters of features", () => {
  test("come out of the address as they went in", () => {
    const filters = {
      search: "checkout",
      tags: [1, 2],
      state: "off" as const,
      owners: [3],
      stage: "stale",
      page: 2,
    };
    expect(readFilters(JSON.parse(JSON.stringify(filters)))).toEqual({ ...readFilters({}), ...filters });
  });

  test("that make no sense are left out, and break nothing", () => {
    const read = readFilters({
      tags: "x",
      state: "maybe",
      page: -3,
      stage: 7,
      owners: ["1", null],
      archived: "yes",
    });
    expect(Object.values(read).every((value) => value === undefined)).toBe(true);
  });

  test("become the query the API knows", () => {
    const query = toQuery({ search: "a", tags: [4, 5], state: "on", sort: "name" }, 7);
    expect(query).toMatchObject({
      environment: 7,
      search: "a",
      tags: "4,5",
      is_enabled: true,
      sort_field: "name",
      sort_direction: "ASC",
    });
    expect(toQuery({}, 7)).not.toHaveProperty("is_enabled");
  });

  test("are counted without the search, which is seen anyway", () => {
    expect(countFilters({ search: "x" })).toBe(0);
    expect(countFilters({ state: "on", tags: [1] })).toBe(2);
  });
});
