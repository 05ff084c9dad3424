/**
 * Custom fields: what an organisation, or a project, wants to be said of its features, segments and environments.
 *
 * The API calls them metadata. A field is given to a kind of object by a link (a "model field"); the link says where the
 * field is required, and values name the link.
 */
import { ALL, api, type Schema } from "~/api/client";

export type Field = Schema<"MetadataFieldView">;
export type Link = Schema<"NestedModelFieldView">;
export type FieldType = Schema<"MetadataFieldType">;
export type Entity = "feature" | "segment" | "environment";

export const FIELD_PATHS = [
  "/api/v1/metadata/fields/",
  "/api/v1/projects/{project_id}/metadata/fields/",
  "/api/v1/organisations/{organisation_id}/metadata-model-fields/",
];

export const TYPES: { value: FieldType; label: string }[] = [
  { value: "str", label: "Text" },
  { value: "multiline_str", label: "Long text" },
  { value: "int", label: "Whole number" },
  { value: "bool", label: "True or false" },
  { value: "url", label: "Address on the web" },
];

export const ENTITIES: { value: Entity; label: string }[] = [
  { value: "feature", label: "Features" },
  { value: "segment", label: "Segments" },
  { value: "environment", label: "Environments" },
];

/** The numbers the API has for kinds of objects. */
export function useContentTypes(organisation: number | undefined) {
  return api.useQuery(
    "get",
    "/api/v1/organisations/{organisation_id}/metadata-model-fields/supported-content-types/",
    { params: { path: { organisation_id: organisation ?? 0 } } },
    { enabled: organisation !== undefined, staleTime: Number.POSITIVE_INFINITY },
  );
}

/** The fields that objects of a kind have in a project: its own, and the organisation's. */
export function useFieldsOf(project: number, entity: Entity) {
  return api.useQuery("get", "/api/v1/projects/{project_id}/metadata/fields/", {
    params: { path: { project_id: project }, query: { ...ALL, entity, include_organisation: true } },
  });
}

/** What is said in the fields, by the number of the link. */
export type Values = Record<number, string>;

export function valuesOf(metadata: readonly Schema<"MetadataView">[] | undefined): Values {
  return Object.fromEntries((metadata ?? []).map((one) => [one.model_field, one.field_value]));
}

/** For the API: a field in which nothing is said is left out. */
export function toMetadata(values: Values): { model_field: number; field_value: string }[] {
  return Object.entries(values)
    .filter(([, value]) => value !== "")
    .map(([link, value]) => ({ model_field: Number(link), field_value: value }));
}

/** What is wrong with a value of a type, as far as it can be told here. */
export function problemOf(type: FieldType, value: string): string | undefined {
  if (value === "") return undefined;
  if (type === "int" && !/^-?\d+$/.test(value)) return "A whole number.";
  if (type === "url" && !URL.canParse(value)) return "An address, such as https://example.com.";
  return undefined;
}
