import { api, type Schema } from "~/api/client";

export type Member = Schema<"MemberView">;

export function useMembers(organisation: number) {
  return api.useQuery("get", "/api/v1/organisations/{organisation_id}/users/", {
    params: { path: { organisation_id: organisation } },
  });
}

export function useGroupNames(organisation: number) {
  return api.useQuery("get", "/api/v1/organisations/{organisation_id}/groups/summaries/", {
    params: { path: { organisation_id: organisation } },
  });
}
