/**
 * The management API, typed from the document that describes it.
 *
 * `api` reads (`api.useQuery("get", path, { params })`), `useAct` writes, `http` is for everything between.
 * A path that the document does not have is a type error.
 */
import { QueryClient } from "@tanstack/react-query";
import createClient, { type Middleware } from "openapi-fetch";
import createQueries from "openapi-react-query";
import { ApiError, statusOf } from "./error";
import { refuseChanges } from "./read-only";
import type { components, paths } from "./schema";
import * as session from "./session";

/** A type of the API by its name in the document. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];
export type Path = keyof paths;

async function body(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const conventions: Middleware = {
  onRequest({ request }) {
    refuseChanges(request);
    const header = session.authorization();
    if (header && !request.headers.has("Authorization") && !request.headers.has("X-Environment-Key")) {
      request.headers.set("Authorization", header);
    }
    return request;
  },
  async onResponse({ request, response }) {
    if (response.ok) return response;
    const error = new ApiError(response.status, await body(response));
    const isOwn = request.headers.get("Authorization") === session.authorization();
    if (response.status === 401 && isOwn && session.isSignedIn() && !request.url.includes("/auth/login/")) {
      session.end();
    }
    throw error;
  },
  onError() {
    return new ApiError(0, undefined);
  },
};

export const http = createClient<paths>({ baseUrl: typeof location === "undefined" ? "" : location.origin });
http.use(conventions);

export const api = createQueries(http);

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // What was refused is refused again; a server that is away may come back.
      retry: (count, error) =>
        count < 2 && (statusOf(error) ?? 0) % 500 < 100 && statusOf(error) !== undefined,
    },
  },
});

/** Has everything read again whose path begins so: what a write changed. */
export function refresh(...prefixes: string[]): Promise<void> {
  return queryClient.invalidateQueries({
    predicate: ({ queryKey }) => prefixes.some((prefix) => String(queryKey[1]).startsWith(prefix)),
  });
}

/** All of a listing, where it is short by nature. */
export const ALL = { page_size: 999 };
