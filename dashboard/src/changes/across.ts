/** Reading from several environments of a project at once. */
import { type UseQueryResult, useQueries } from "@tanstack/react-query";
import { ALL, api } from "~/api/client";
import type { Environment } from "~/shell/place";
import type { Listed } from "./row";

interface Found<Item> {
  item: Item;
  /** None for what belongs to the project itself. */
  environment: Environment | undefined;
}

/** The items of all answers, each with its place, once all are there. */
function together<Item>(
  answers: UseQueryResult<{ results: Item[] }, unknown>[],
  places: (Environment | undefined)[],
  compare: (one: Item, other: Item) => number,
) {
  const items = answers.flatMap((answer, place) =>
    (answer.data?.results ?? []).map((item): Found<Item> => ({ item, environment: places[place] })),
  );
  return {
    data: answers.every((answer) => answer.data)
      ? items.sort((one, other) => compare(one.item, other.item))
      : undefined,
    error: answers.find((answer) => answer.error)?.error ?? null,
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
