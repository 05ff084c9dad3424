/** The webhooks of an environment and those of an organisation: the same acts, below two paths. */
import { useQuery } from "@tanstack/react-query";
import { ALL, http, type Schema } from "~/api/client";

/** Whose webhooks; as the test of one has it. */
export type Owner = { type: "environment"; id: string } | { type: "organisation"; id: number };

export type Webhook = Schema<"WebhookView">;
export type Delivery = Schema<"WebhookDelivery">;
type Body = Schema<"WholeWebhookBody">;

const OF_ENVIRONMENT = "/api/v1/environments/{environment_key}/webhooks/";
const OF_ORGANISATION = "/api/v1/organisations/{organisation_id}/webhooks/";

/** What a change of webhooks makes stale. */
export const WEBHOOKS = [OF_ENVIRONMENT, OF_ORGANISATION];

function ofEnvironment(environment_key: string) {
  const at = (webhook_id: number) => ({ environment_key, webhook_id });
  return {
    list: async (): Promise<Webhook[]> => {
      const { data } = await http.GET("/api/v1/environments/{environment_key}/webhooks/", {
        params: { path: { environment_key } },
      });
      return data ?? [];
    },
    create: (body: Body) =>
      http.POST("/api/v1/environments/{environment_key}/webhooks/", {
        params: { path: { environment_key } },
        body,
      }),
    patch: (id: number, body: Partial<Body>) =>
      http.PATCH("/api/v1/environments/{environment_key}/webhooks/{webhook_id}/", {
        params: { path: at(id) },
        body,
      }),
    remove: (id: number) =>
      http.DELETE("/api/v1/environments/{environment_key}/webhooks/{webhook_id}/", {
        params: { path: at(id) },
      }),
    deliveries: (id: number, page: number, page_size: number) =>
      http.GET("/api/v1/environments/{environment_key}/webhooks/{webhook_id}/deliveries/", {
        params: { path: at(id), query: { page, page_size } },
      }),
    retry: (id: number, delivery_id: number) =>
      http.POST(
        "/api/v1/environments/{environment_key}/webhooks/{webhook_id}/deliveries/{delivery_id}/retry/",
        { params: { path: { ...at(id), delivery_id } } },
      ),
  };
}

function ofOrganisation(organisation_id: number): ReturnType<typeof ofEnvironment> {
  const at = (webhook_id: number) => ({ organisation_id, webhook_id });
  return {
    list: async () => {
      const { data } = await http.GET("/api/v1/organisations/{organisation_id}/webhooks/", {
        params: { path: { organisation_id }, query: ALL },
      });
      return data?.results ?? [];
    },
    create: (body) =>
      http.POST("/api/v1/organisations/{organisation_id}/webhooks/", {
        params: { path: { organisation_id } },
        body,
      }),
    patch: (id, body) =>
      http.PATCH("/api/v1/organisations/{organisation_id}/webhooks/{webhook_id}/", {
        params: { path: at(id) },
        body,
      }),
    remove: (id) =>
      http.DELETE("/api/v1/organisations/{organisation_id}/webhooks/{webhook_id}/", {
        params: { path: at(id) },
      }),
    deliveries: (id, page, page_size) =>
      http.GET("/api/v1/organisations/{organisation_id}/webhooks/{webhook_id}/deliveries/", {
        params: { path: at(id), query: { page, page_size } },
      }),
    retry: (id, delivery_id) =>
      http.POST(
        "/api/v1/organisations/{organisation_id}/webhooks/{webhook_id}/deliveries/{delivery_id}/retry/",
        { params: { path: { ...at(id), delivery_id } } },
      ),
  };
}

export function callsOf(owner: Owner) {
  return owner.type === "environment" ? ofEnvironment(owner.id) : ofOrganisation(owner.id);
}

/** The second part of the keys of what is read: what `refresh` goes by. */
function pathOf(owner: Owner) {
  return owner.type === "environment" ? OF_ENVIRONMENT : OF_ORGANISATION;
}

export function useWebhooks(owner: Owner) {
  return useQuery({ queryKey: ["get", pathOf(owner), owner.id], queryFn: () => callsOf(owner).list() });
}

/** One page of what was sent, read again while something is on its way. */
export function useDeliveries(owner: Owner, webhook: number, page: number, size: number) {
  return useQuery({
    queryKey: ["get", pathOf(owner), owner.id, webhook, "deliveries", page],
    queryFn: async () => {
      const { data } = await callsOf(owner).deliveries(webhook, page, size);
      if (!data) throw new Error("The server answered without a list.");
      return data;
    },
    placeholderData: (previous) => previous,
    refetchInterval: ({ state }) =>
      state.data?.results.some((delivery) => delivery.status === "waiting") ? 3000 : false,
  });
}
