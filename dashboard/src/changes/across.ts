/** Reading from several environments of a project at once. */
import { type UseQueryResult, useQueries } from "@tanstack/react-query";
import { ALL, api } from "~/api/client";
import { statusOf } from "~/api/error";
import type { Environment } from "~/shell/place";
import type { Listed } from "./row";

export interface Found<Item> {
  item: Item;
  /** None for what belongs to the project itself. */
  environment: Environment | undefined;
}

/**
 * The items of all answers, each with its place. What may not be seen is left out, and told by name, unless nothing may
 * be seen at all; another failure of one is a failure of all.
 */
function together<Item>(
  answers: UseQueryResult<{ results: Item[] }, unknown>[],
  places: (Environment | undefined)[],
  compare: (one: Item, other: Item) => number,
) {
  const hidden = places.filter((_, place) => statusOf(answers[place]?.error) === 403);
  const failure = answers.find((answer) => answer.error && statusOf(answer.error) !== 403);
  const isAllHidden = hidden.length === places.length && places.length > 0;
  const isThere = answers.every((answer) => answer.data || answer.error);
  const items = answers
    .flatMap((answer, place) =>
      (answer.data?.results ?? []).map((item): Found<Item> => ({ item, environment: places[place] })),
    )
    .sort((one, other) => compare(one.item, other.item));
  const error = failure?.error ?? (isAllHidden ? answers[0]?.error : null);
  return {
    data: isThere && !error ? { items, hidden: hidden.map((one) => one?.name ?? "segments") } : undefined,
    error,
    refetch: () => Promise.all(answers.map((answer) => answer.refetch())),
  };
}

/** The change requests of these environments and of the project itself, newest first. */
export function useAllRequests(project: number, environments: Environment[], committed: boolean) {
  const query = { committed, ...ALL };
  return useQueries({
    queries: [
      ...environments.map((environment) =>
        api.queryOptions("get", "/api/v1/environments/{environment_key}/list-change-requests/", {
          params: { path: { environment_key: environment.api_key }, query },
        }),
      ),
      api.queryOptions("get", "/api/v1/projects/{project_id}/change-requests/", {
        params: { path: { project_id: project }, query },
      }),
    ],
    combine: (answers) =>
      together(
        answers as UseQueryResult<{ results: Listed[] }>[],
        [...environments, undefined],
        (one, other) => other.created_at.localeCompare(one.created_at),
      ),
  });
}

/** What waits for its time in these environments, the next first. */
export function useAllScheduled(environments: Environment[]) {
  return useQueries({
    queries: environments.map((environment) =>
      api.queryOptions("get", "/api/v1/environments/{environment_key}/scheduled-changes/", {
        params: { path: { environment_key: environment.api_key }, query: ALL },
      }),
    ),
    combine: (answers) =>
      together(answers, environments, (one, other) => one.live_from.localeCompare(other.live_from)),
  });
}
