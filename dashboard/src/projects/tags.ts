import { ALL, api, type Schema } from "~/api/client";

export type Tag = Schema<"TagView">;

export function useTags(project: number) {
  return api.useQuery("get", "/api/v1/projects/{project_id}/tags/", {
    params: { path: { project_id: project }, query: ALL },
  });
}
