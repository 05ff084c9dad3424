import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BELOW, type Field, INTEGRATIONS, type Level } from "./table";

interface Property {
  type?: string | string[];
  enum?: string[];
  description?: string;
}
interface Body {
  properties: Record<string, Property>;
  required?: string[];
}

const DOCUMENT = JSON.parse(readFileSync(join(import.meta.dirname, "../../../docs/openapi.json"), "utf8"));
const LEVELS = Object.keys(BELOW) as Level[];

function bodyOf(level: Level, name: string): Body | undefined {
  const schema =
    DOCUMENT.paths[`${BELOW[level]}${name}/`]?.post?.requestBody.content["application/json"].schema;
  return schema && DOCUMENT.components.schemas[schema.$ref.split("/").at(-1)];
}

function kindOf(property: Property): Field["kind"][] {
  if (property.description?.startsWith("Kept encrypted")) return ["secret"];
  if (property.enum) return ["choice"];
  if (property.type === "boolean") return ["switch"];
  return "format" in property ? ["address"] : ["text", "channel"];
}

describe.each(INTEGRATIONS)("the form of $name", ({ name, levels, fields }) => {
  test.each(levels)("sets what the API takes for a %s", (level) => {
    const body = bodyOf(level, name);
    const properties = body?.properties ?? {};
    expect(fields.map((field) => field.name).sort()).toEqual(Object.keys(properties).sort());
    for (const field of fields) {
      const property = properties[field.name] as Property;
      expect(kindOf(property), field.name).toContain(field.kind);
      expect(field.required ?? false, field.name).toBe(body?.required?.includes(field.name) ?? false);
      if (property.enum) expect(field.choices?.map(({ value }) => value)).toEqual(property.enum);
    }
  });
});

test("every integration of the API has a form", () => {
  // The project's Grafana is below the environment as well, for clients that know the environment only; GitHub has more to
  // set up than fits a form, and is a section of its own.
  const offered = LEVELS.flatMap((level) =>
    Object.keys(DOCUMENT.paths)
      .filter((path) => path.startsWith(BELOW[level]) && DOCUMENT.paths[path].post)
      .map((path) => `${level} ${path.slice(BELOW[level].length, -1)}`)
      .filter((one) => !one.includes("/") && !["environment grafana", "organisation github"].includes(one)),
  );
  const had = INTEGRATIONS.flatMap(({ name, levels }) => levels.map((level) => `${level} ${name}`));
  expect(had.sort()).toEqual(offered.sort());
});
