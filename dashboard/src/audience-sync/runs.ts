/** Runs of audience syncs: reading them while they go on, beginning and ending them. */

import { useEffect, useRef } from "react";
import { useAct } from "~/api/act";
import { api, http, refresh, type Schema } from "~/api/client";
import { BASE } from "./objects";

export type Run = Schema<"AudienceSyncRun">;
export type State = Run["state"];

/** How often a run that is under way is looked at, in milliseconds. */
const BEAT = 1000;

export const STATES: Record<State, { label: string; colour: string; about: string }> = {
  planning: { label: "planning", colour: "harbour", about: "Rows are read and compared." },
  running: { label: "running", colour: "harbour", about: "Rows are read, compared and sent." },
  planned: { label: "planned", colour: "gray", about: "A preview: nothing was sent." },
  held: { label: "held", colour: "orange", about: "A guard rail stopped it before anything was sent." },
  dropped: {
    label: "dropped",
    colour: "gray",
    about: "It was held, and sent nothing. What was approved went out in a run of its own.",
  },
  done: { label: "done", colour: "teal", about: "Everything was delivered." },
  partial: {
    label: "partly done",
    colour: "yellow",
    about: "Some rows were refused or could not be sent; everything else was delivered.",
  },
  failed: { label: "failed", colour: "red", about: "It did not come to its end." },
  stopped: { label: "stopped", colour: "gray", about: "Somebody stopped it. What was sent, stays." },
  skipped: {
    label: "skipped",
    colour: "gray",
    about: "It came due while the run before was under way.",
  },
};

export function isUnderWay(run: Pick<Run, "state"> | undefined): boolean {
  return run?.state === "planning" || run?.state === "running";
}

/** Operations that a plan has. */
export function operations({ counts }: Pick<Run, "counts">): number {
  return counts.adds + counts.updates + counts.removes;
}

/** Rows of a run that nobody could send, or that the destination refused. */
export function refused({ counts, progress }: Pick<Run, "counts" | "progress">): number {
  return counts.invalid + counts.conflicts + progress.rejected;
}

/** A run, looked at again and again until it has ended; what shows runs is read anew then. */
export function useRun(organisation: number, id: number | undefined) {
  const query = api.useQuery(
    "get",
    "/api/v1/organisations/{organisation_id}/audience-sync/runs/{id}/",
    { params: { path: { organisation_id: organisation, id: id ?? 0 } } },
    {
      enabled: id !== undefined,
      refetchInterval: ({ state }) => (isUnderWay(state.data as Run | undefined) ? BEAT : false),
    },
  );
  const was = useRef(false);
  const is = isUnderWay(query.data);
  useEffect(() => {
    if (was.current && !is) void refresh(BASE);
    was.current = is;
  }, [is]);
  return query;
}

interface Wanted {
  sync?: string;
  state?: State;
  page?: number;
  page_size?: number;
}

export function useRuns(organisation: number, wanted: Wanted = {}) {
  return api.useQuery(
    "get",
    "/api/v1/organisations/{organisation_id}/audience-sync/runs/",
    { params: { path: { organisation_id: organisation }, query: wanted } },
    {
      placeholderData: (previous: Schema<"Page_AudienceSyncRun"> | undefined) => previous,
      refetchInterval: ({ state }) => {
        const page = state.data as Schema<"Page_AudienceSyncRun"> | undefined;
        return page?.results.some(isUnderWay) ? BEAT : false;
      },
    },
  );
}

type After = (run: Run) => unknown;

/** Has a sync planned: nothing is sent. */
export function usePlan(organisation: number, after: After) {
  return useAct(
    (name: string) =>
      http.POST("/api/v1/organisations/{organisation_id}/audience-sync/syncs/{name}/plan/", {
        params: { path: { organisation_id: organisation, name } },
      }),
    { changes: [BASE], after },
  );
}

export function useTrigger(organisation: number, after: After) {
  return useAct(
    (name: string) =>
      http.POST("/api/v1/organisations/{organisation_id}/audience-sync/syncs/{name}/trigger/", {
        params: { path: { organisation_id: organisation, name } },
      }),
    { changes: [BASE], after },
  );
}

export function useApprove(organisation: number, after: After) {
  return useAct(
    (id: number) =>
      http.POST("/api/v1/organisations/{organisation_id}/audience-sync/runs/{id}/approve/", {
        params: { path: { organisation_id: organisation, id } },
      }),
    { quiet: true, changes: [BASE], after },
  );
}

export function useDrop(organisation: number) {
  return useAct(
    (id: number) =>
      http.POST("/api/v1/organisations/{organisation_id}/audience-sync/runs/{id}/drop/", {
        params: { path: { organisation_id: organisation, id } },
      }),
    { quiet: true, changes: [BASE], done: "Dropped. Nothing of it was sent." },
  );
}

export function useStop(organisation: number) {
  return useAct(
    (id: number) =>
      http.POST("/api/v1/organisations/{organisation_id}/audience-sync/runs/{id}/stop/", {
        params: { path: { organisation_id: organisation, id } },
      }),
    { quiet: true, changes: [BASE], done: "Stopped. What is under way is still answered." },
  );
}
