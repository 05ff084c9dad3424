/** Sources, models, destinations, channels and syncs of an organisation, as the API has them. */
import { useAct } from "~/api/act";
import { ALL, api, http, type Schema } from "~/api/client";
import { ApiError } from "~/api/error";

export type SyncObject = Schema<"AudienceSyncObjectView">;
export type Kind = SyncObject["kind"];
/** What an object says, by the names of its settings: docs/audience-sync.schema.json. */
export type Content = Record<string, unknown>;

/** Where everything about audience syncs is; a write changes any of it. */
export const BASE = "/api/v1/organisations/{organisation_id}/audience-sync/";

/** One of a kind, in words. */
export const ONE: Record<Kind, string> = {
  sources: "source",
  models: "model",
  destinations: "destination",
  channels: "channel",
  syncs: "sync",
};

/** What the API shows in place of a secret; written back it leaves the secret as it is. */
export const HIDDEN = "********";

/** The document calls contents objects without saying what they hold. */
export function contentOf<Shape = Content>(object: SyncObject): Shape {
  return object.content as Shape;
}

export function useObjects(organisation: number, kind: Kind, enabled = true) {
  return api.useQuery(
    "get",
    "/api/v1/organisations/{organisation_id}/audience-sync/{kind}/",
    { params: { path: { organisation_id: organisation, kind }, query: ALL } },
    { enabled },
  );
}

export function useObject(organisation: number, kind: Kind, name: string) {
  return api.useQuery("get", "/api/v1/organisations/{organisation_id}/audience-sync/{kind}/{name}/", {
    params: { path: { organisation_id: organisation, kind, name } },
  });
}

interface Written {
  name: string;
  content: object;
}

export async function readObject(organisation: number, kind: Kind, name: string): Promise<SyncObject> {
  const path = { organisation_id: organisation, kind, name };
  const { data } = await http.GET("/api/v1/organisations/{organisation_id}/audience-sync/{kind}/{name}/", {
    params: { path },
  });
  if (!data) throw new ApiError(0, undefined);
  return data;
}

export function putObject(organisation: number, kind: Kind, { name, content }: Written) {
  return http.PUT("/api/v1/organisations/{organisation_id}/audience-sync/{kind}/{name}/", {
    params: { path: { organisation_id: organisation, kind, name } },
    body: content as Record<string, never>,
  });
}

/** Makes or replaces an object; the page shows what was refused. */
export function usePutObject(
  organisation: number,
  kind: Kind,
  { done, after }: { done?: string; after?: (object: SyncObject) => unknown } = {},
) {
  return useAct((written: Written) => putObject(organisation, kind, written), {
    quiet: true,
    changes: [BASE],
    done,
    after,
  });
}

export function useDeleteObject(organisation: number, kind: Kind, after?: () => unknown) {
  return useAct(
    (name: string) =>
      http.DELETE("/api/v1/organisations/{organisation_id}/audience-sync/{kind}/{name}/", {
        params: { path: { organisation_id: organisation, kind, name } },
      }),
    { quiet: true, changes: [BASE], done: (_, name) => `${name} is gone.`, after },
  );
}

/** Names are part of addresses; what people type becomes one. */
export function asName(typed: string): string {
  return typed.replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, 100);
}
