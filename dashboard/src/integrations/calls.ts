/** Reading and setting integrations: the same acts for all of them, below the paths of the table. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { http, type Schema } from "~/api/client";
import { BELOW, type Integration } from "./table";

/** What integrations are set up for. */
export type Owner =
  | { level: "organisation"; organisation_id: number }
  | { level: "project"; project_id: number }
  | { level: "environment"; environment_key: string };

/** What is set of an integration; in the place of secrets stands a mask. */
export type Configuration = { id: number } & Record<string, unknown>;

/** Something that an integration was sent. */
export type Delivery = Schema<"IntegrationDeliveryView">;

/** The paths come from the table, and a test holds that against the document; their types can't be told one by one. */
type Untyped = (
  method: string,
  path: string,
  init: object,
) => Promise<{ data?: unknown; response: Response }>;
const request = http.request as unknown as Untyped;

function where({ level, ...path }: Owner, integration: Integration) {
  return { list: `${BELOW[level]}${integration.name}/`, path };
}

/** What is set of each of these integrations: one configuration, or none. */
export function useConfigured(owner: Owner, integrations: Integration[]) {
  return useQueries({
    queries: integrations.map((integration) => {
      const { list, path } = where(owner, integration);
      return {
        queryKey: ["get", list, owner],
        queryFn: async () => {
          const { data } = await request("get", list, { params: { path } });
          return (data as Configuration[])[0] ?? null;
        },
      };
    }),
    combine: (results) => ({
      data: results.every((result) => result.data !== undefined)
        ? results.map((result) => result.data as Configuration | null)
        : undefined,
      error: results.find((result) => result.error)?.error ?? null,
      refetch: () => Promise.all(results.map((result) => result.refetch())),
    }),
  });
}

/** Sets an integration up, or changes the one that is there. */
export function save(owner: Owner, integration: Integration, id: number | undefined, body: object) {
  const { list, path } = where(owner, integration);
  if (id === undefined) return request("post", list, { params: { path }, body });
  return request("patch", `${list}{integration_id}/`, {
    params: { path: { ...path, integration_id: id } },
    body,
  });
}

export function remove(owner: Owner, integration: Integration, id: number) {
  const { list, path } = where(owner, integration);
  return request("delete", `${list}{integration_id}/`, { params: { path: { ...path, integration_id: id } } });
}

/** What an integration was sent lately. */
export function useDeliveries(owner: Owner, integration: Integration, id: number) {
  const { list, path } = where(owner, integration);
  return useQuery({
    queryKey: ["get", `${list}{integration_id}/deliveries/`, owner, id],
    queryFn: async () => {
      const params = { path: { ...path, integration_id: id } };
      return (await request("get", `${list}{integration_id}/deliveries/`, { params })).data as Delivery[];
    },
  });
}

/** Sends it an example, at once. */
export function sendExample(owner: Owner, integration: Integration, id: number) {
  const { list, path } = where(owner, integration);
  return request("post", `${list}{integration_id}/test/`, {
    params: { path: { ...path, integration_id: id } },
  });
}
