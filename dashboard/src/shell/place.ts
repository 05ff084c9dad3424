/** Where the user is: the project and the environment of the address, and what the API says of them. */
import { useParams } from "@tanstack/react-router";
import { ALL, api, type Schema } from "~/api/client";

export type Environment = Schema<"EnvironmentView">;
export type Project = Schema<"ProjectDetails">;
export type Organisation = Schema<"OrganisationView">;

export function useOrganisations(enabled = true) {
  return api.useQuery("get", "/api/v1/organisations/", { params: { query: ALL } }, { enabled });
}

export function useProjects(organisation: number | undefined) {
  return api.useQuery(
    "get",
    "/api/v1/projects/",
    { params: { query: { organisation: organisation ?? 0 } } },
    { enabled: organisation !== undefined },
  );
}

export function useProject(project: number | undefined) {
  return api.useQuery(
    "get",
    "/api/v1/projects/{project_id}/",
    { params: { path: { project_id: project ?? 0 } } },
    { enabled: project !== undefined },
  );
}

export function useEnvironments(project: number | undefined) {
  return api.useQuery(
    "get",
    "/api/v1/environments/",
    { params: { query: { project: project ?? 0, ...ALL } } },
    { enabled: project !== undefined },
  );
}

/** What the address says, as far as it says something. */
export function useAddress(): { organisation?: number; project?: number; environment?: string } {
  const params = useParams({ strict: false }) as Record<string, string | undefined>;
  const number = (text: string | undefined) => (text && /^\d+$/.test(text) ? Number(text) : undefined);
  return {
    organisation: number(params.organisation),
    project: number(params.project),
    environment: params.environment,
  };
}

export interface Place {
  project: Project;
  environment: Environment;
  environments: Environment[];
}

/** The place of a page inside an environment; its layout route has made sure that it is there. */
export function usePlace(): Place {
  const address = useAddress();
  const project = useProject(address.project);
  const environments = useEnvironments(address.project);
  const all = environments.data?.results ?? [];
  const environment = all.find((one) => one.api_key === address.environment);
  if (!project.data || !environment) throw new Error("a page of an environment outside its layout");
  return { project: project.data, environment, environments: all };
}

const LAST = "burgee-last-place";

/** Remembers where the user was, for the next visit. */
export function rememberPlace(project: number, environment: string) {
  try {
    localStorage.setItem(LAST, JSON.stringify({ project, environment }));
  } catch {
    // Without storage the next visit begins at the list of projects.
  }
}

export function lastPlace(): { project: number; environment: string } | null {
  try {
    const last = JSON.parse(localStorage.getItem(LAST) ?? "null");
    return typeof last?.project === "number" && typeof last?.environment === "string" ? last : null;
  } catch {
    return null;
  }
}

export function forgetPlace() {
  try {
    localStorage.removeItem(LAST);
  } catch {
    // Nothing was remembered then.
  }
}
