/** What is granted to single people and groups, at a project or an environment. */
import { api, http, type Schema } from "~/api/client";
import type { Given } from "~/organisation/permission-list";
import { nameOf, type PersonLike } from "~/parts/person";

export type Who = "user" | "group";

/** Who has been granted something, and what. */
export interface Grant {
  /** Nothing yet where it is about to be made. */
  id?: number;
  who: Who;
  grantee: number;
  name: string;
  given: Given;
}

/** Where something is granted: how it is read and written there. */
export interface Level {
  prefix: string;
  save: (grant: Grant) => Promise<unknown>;
  remove: (grant: Grant) => Promise<unknown>;
}

type View = Schema<"GrantView">;
type Body = { permissions: Schema<"PermissionKey">[]; admin: boolean };

/** A list tells the whole of whom it is granted to. */
function grantOf(view: View, who: Who): Grant {
  const whole = view[who] as unknown as { id: number; name?: string } & PersonLike;
  return {
    id: view.id,
    who,
    grantee: whole.id,
    name: who === "user" ? nameOf(whole) : (whole.name ?? ""),
    given: {
      admin: "admin" in view ? view.admin : false,
      permissions: view.permissions.map((permission_key) => ({ permission_key, tags: [] })),
    },
  };
}

function joined(users: View[] | undefined, groups: View[] | undefined): Grant[] | undefined {
  if (!users || !groups) return undefined;
  return [
    ...groups.map((view) => grantOf(view, "group")),
    ...users.map((view) => grantOf(view, "user")),
  ].sort((one, other) => one.name.localeCompare(other.name));
}

interface Queries {
  data: View[] | undefined;
  error: unknown;
  refetch: () => unknown;
}

function together(users: Queries, groups: Queries) {
  return {
    data: joined(users.data, groups.data),
    error: users.error ?? groups.error,
    refetch: () => Promise.all([users.refetch(), groups.refetch()]),
  };
}

function bodyOf({ admin, permissions }: Given): Body {
  return { admin, permissions: permissions.map((one) => one.permission_key) };
}

export function useProjectGrants(project: number) {
  const params = { path: { project_id: project } };
  return together(
    api.useQuery("get", "/api/v1/projects/{project_id}/user-permissions/", { params }),
    api.useQuery("get", "/api/v1/projects/{project_id}/user-group-permissions/", { params }),
  );
}

export function ofProject(project: number): Level {
  const path = { project_id: project };
  return {
    prefix: "/api/v1/projects/{project_id}/",
    save: ({ id, who, grantee, given }) => {
      const body = bodyOf(given);
      if (who === "user") {
        return id === undefined
          ? http.POST("/api/v1/projects/{project_id}/user-permissions/", {
              params: { path },
              body: { ...body, user: grantee },
            })
          : http.PUT("/api/v1/projects/{project_id}/user-permissions/{grant_id}/", {
              params: { path: { ...path, grant_id: id } },
              body: { ...body, user: grantee },
            });
      }
      return id === undefined
        ? http.POST("/api/v1/projects/{project_id}/user-group-permissions/", {
            params: { path },
            body: { ...body, group: grantee },
          })
        : http.PUT("/api/v1/projects/{project_id}/user-group-permissions/{grant_id}/", {
            params: { path: { ...path, grant_id: id } },
            body: { ...body, group: grantee },
          });
    },
    remove: ({ id = 0, who }) => {
      const params = { path: { ...path, grant_id: id } };
      return who === "user"
        ? http.DELETE("/api/v1/projects/{project_id}/user-permissions/{grant_id}/", { params })
        : http.DELETE("/api/v1/projects/{project_id}/user-group-permissions/{grant_id}/", { params });
    },
  };
}

export function useEnvironmentGrants(environment: string) {
  const params = { path: { environment_key: environment } };
  return together(
    api.useQuery("get", "/api/v1/environments/{environment_key}/user-permissions/", { params }),
    api.useQuery("get", "/api/v1/environments/{environment_key}/user-group-permissions/", { params }),
  );
}

export function ofEnvironment(environment: string): Level {
  const path = { environment_key: environment };
  return {
    prefix: "/api/v1/environments/{environment_key}/",
    save: ({ id, who, grantee, given }) => {
      const body = bodyOf(given);
      if (who === "user") {
        return id === undefined
          ? http.POST("/api/v1/environments/{environment_key}/user-permissions/", {
              params: { path },
              body: { ...body, user: grantee },
            })
          : http.PUT("/api/v1/environments/{environment_key}/user-permissions/{grant_id}/", {
              params: { path: { ...path, grant_id: id } },
              body: { ...body, user: grantee },
            });
      }
      return id === undefined
        ? http.POST("/api/v1/environments/{environment_key}/user-group-permissions/", {
            params: { path },
            body: { ...body, group: grantee },
          })
        : http.PUT("/api/v1/environments/{environment_key}/user-group-permissions/{grant_id}/", {
            params: { path: { ...path, grant_id: id } },
            body: { ...body, group: grantee },
          });
    },
    remove: ({ id = 0, who }) => {
      const params = { path: { ...path, grant_id: id } };
      return who === "user"
        ? http.DELETE("/api/v1/environments/{environment_key}/user-permissions/{grant_id}/", { params })
        : http.DELETE("/api/v1/environments/{environment_key}/user-group-permissions/{grant_id}/", {
            params,
          });
    },
  };
}
