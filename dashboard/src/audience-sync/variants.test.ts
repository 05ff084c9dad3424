import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, describe as group, test } from "vitest";
import { CHANNELS, DESTINATIONS, describe, type Family, missing, SOURCES, tidy } from "./variants";

interface Shape {
  properties: Record<string, { const?: string }>;
  required: string[];
}

const SCHEMA = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../docs/audience-sync.schema.json"), "utf8"),
);

/** Drivers are for files of the operator: the server refuses them. */
const NOT_HERE = ["adbc"];

function shapes(name: string): Shape[] {
  return SCHEMA.$defs[name].oneOf;
}

group("the forms know every setting that files know", () => {
  test.each<[string, Family]>([
    ["Source", SOURCES],
    ["Destination", DESTINATIONS],
    ["Channel", CHANNELS],
  ])("%s", (name, family) => {
    const known = family.variants.map((variant) => [
      variant.value,
      variant.fields.map((field) => field.name).sort(),
      variant.fields.filter((field) => field.required).map((field) => field.name),
    ]);
    const said = shapes(name)
      .map(({ properties, required }) => [
        properties[family.tag]?.const ?? "",
        Object.keys(properties)
          .filter((setting) => setting !== family.tag)
          .sort(),
        // An instance has a default, and is chosen all the same.
        [...new Set([...(properties.instance ? ["instance"] : []), ...required])].filter(
          (setting) => setting !== family.tag,
        ),
      ])
      .filter(([value]) => !NOT_HERE.includes(String(value)));
    expect(known.sort()).toEqual(said.sort());
  });
});

test("what is empty or out of place is not sent", () => {
  const content = { driver: "postgres", url: " postgres://db/x ", engine: "local", schema: "left_over" };
  expect(tidy(SOURCES, content)).toEqual({ driver: "postgres", url: "postgres://db/x", engine: "local" });
  const flags = { type: "flagsmith", key: "ser.x", delete_traits_on_remove: false, token: "of another kind" };
  expect(tidy(DESTINATIONS, flags)).toEqual({ type: "flagsmith", key: "ser.x" });
});

test("what is required and empty is told by its label", () => {
  expect(missing(DESTINATIONS, { type: "launchdarkly", instance: "eu", token: "t", project: " " })).toEqual([
    "Project key",
    "Environment key",
  ]);
  expect(missing(CHANNELS, { type: "email", to: [] })).toEqual(["E-mail addresses"]);
});

test("a line tells where a place is, and no secret", () => {
  const content = {
    type: "launchdarkly",
    instance: "eu",
    project: "shop",
    environment: "production",
    token: "api-1",
  };
  expect(describe(DESTINATIONS, content)).toBe("LaunchDarkly: eu / shop / production");
});
