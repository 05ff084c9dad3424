/** What the signed-in user may do here. The server decides; this keeps pages from offering what it would refuse. */
import { api } from "~/api/client";

type May = (permission: string, tags?: number[]) => boolean;

interface Permissions {
  permissions: string[];
  admin: boolean;
  tag_based_permissions: { permissions: string[]; tags: number[] }[];
}

export function may(given: Permissions | undefined): May {
  return (permission, tags = []) =>
    given !== undefined &&
    (given.admin ||
      given.permissions.includes(permission) ||
      given.tag_based_permissions.some(
        (limited) =>
          limited.permissions.includes(permission) && limited.tags.some((tag) => tags.includes(tag)),
      ));
}

/** Nobody's permission has this name: only administrators pass. */
export const ADMIN = "ADMIN";

export function useEnvironmentMay(environment: string): May {
  const path = { environment_key: environment };
  const query = api.useQuery("get", "/api/v1/environments/{environment_key}/my-permissions/", {
    params: { path },
  });
  return may(query.data);
}

export function useProjectMay(project: number): May {
  const path = { project_id: project };
  const query = api.useQuery("get", "/api/v1/projects/{project_id}/my-permissions/", { params: { path } });
  return may(query.data);
}

export function useOrganisationMay(organisation: number | undefined): May {
  const path = { organisation_id: organisation ?? 0 };
  const query = api.useQuery(
    "get",
    "/api/v1/organisations/{organisation_id}/my-permissions/",
    { params: { path } },
    { enabled: organisation !== undefined },
  );
  return may(query.data);
}
