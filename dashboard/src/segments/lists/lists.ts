/** Lists of members: segments whose members are named, environment by environment. */
import { ALL, api, type Schema } from "~/api/client";

export type ListSegment = Schema<"ListSegmentHereView">;
export type Side = "included" | "excluded";

/** Paths whose answers change with who is in a list. */
export const LIST_PATHS = [
  "/api/v1/environments/{environment_key}/list-segments/",
  "/api/v1/projects/{project_id}/list-segments/",
];

/** What stands for identifiers; every other kind is the name of a trait. */
export const IDENTIFIERS = "user";

export function useListSegments(environment: string) {
  return api.useQuery("get", "/api/v1/environments/{environment_key}/list-segments/", {
    params: { path: { environment_key: environment }, query: ALL },
  });
}

/** What conditions of other segments call a list. */
export function propertyOf(key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) ? `$.lists.${key}` : `$.lists['${key}']`;
}

/** The key of the list that a property asks for. */
export function listIn(property: string | null): string | undefined {
  const [, plain, quoted] = /^\$\.lists(?:\.([\w-]+)|\['(.+)'\])$/.exec(property ?? "") ?? [];
  return plain ?? quoted;
}

/** Members one a line, as they are typed or pasted; spaces around them are none of theirs. */
export function linesOf(text: string): string[] {
  return [
    ...new Set(
      text
        .split(/\r?\n/)
        .map((line) => line.trim())
        .filter(Boolean),
    ),
  ];
}
