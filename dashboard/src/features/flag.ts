/** Reading a flag of an environment, with the names that its parts go by. */
import { ALL, api, type Schema } from "~/api/client";
import { fromTyped } from "~/lib/value";

export function useFlag(environmentKey: string, feature: number) {
  return api.useQuery("get", "/api/__future__/environments/{environment_key}/features/{feature_id}/", {
    params: { path: { environment_key: environmentKey, feature_id: feature } },
  });
}

/** All segments of a project, those of single features included. */
export function useSegments(project: number) {
  return api.useQuery("get", "/api/v1/projects/{project_id}/segments/", {
    params: { path: { project_id: project }, query: { ...ALL, include_feature_specific: true } },
  });
}

export function useNames(project: number, options: Schema<"OptionView">[]) {
  const segments = useSegments(project).data?.results ?? [];
  return {
    segments: new Map(segments.map((segment) => [segment.id, segment.name])),
    options: new Map(options.map((option) => [option.id, option.key || String(fromTyped(option))])),
  };
}
