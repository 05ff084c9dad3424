/** The three ways a change of a flag is saved: now, with approval, at a time. */

import { http } from "~/api/client";
import { ApiError } from "~/api/error";
import { type Draft, draftOf, sameDraft, toChangeSet, toFlag } from "./draft";

export interface Target {
  environmentKey: string;
  feature: number;
}

/** Somebody changed the flag since it was loaded. */
export class Overtaken extends Error {
  readonly current: Draft;
  constructor(current: Draft) {
    super("Somebody changed this feature in the meantime.");
    this.current = current;
  }
}

const params = ({ environmentKey, feature }: Target) => ({
  path: { environment_key: environmentKey, feature_id: feature },
});

export async function saveNow(target: Target, draft: Draft, base: Draft): Promise<void> {
  const { data } = await http.GET("/api/__future__/environments/{environment_key}/features/{feature_id}/", {
    params: params(target),
  });
  if (data && !sameDraft(draftOf(data), base)) throw new Overtaken(draftOf(data));
  await http.PUT("/api/__future__/environments/{environment_key}/features/{feature_id}/", {
    params: params(target),
    body: toFlag(draft, base),
  });
}

export interface Request {
  title: string;
  description: string;
  reviewers: number[];
  at: Date | null;
}

export async function request(target: Target, draft: Draft, base: Draft, what: Request): Promise<number> {
  const set = { ...toChangeSet(target.feature, draft, base), live_from: what.at?.toISOString() ?? null };
  const { data } = await http.POST("/api/v1/environments/{environment_key}/create-change-request/", {
    params: { path: { environment_key: target.environmentKey } },
    body: {
      title: what.title,
      description: what.description,
      approvals: what.reviewers.map((user) => ({ user })),
      // Asked for even where change sets say it all.
      feature_states: [],
      change_sets: [set],
    },
  });
  if (!data) throw new ApiError(0, undefined);
  return data.id;
}

export async function schedule(target: Target, draft: Draft, base: Draft, at: Date): Promise<void> {
  await http.POST("/api/v1/environments/{environment_key}/scheduled-changes/", {
    params: { path: { environment_key: target.environmentKey } },
    body: { ...toChangeSet(target.feature, draft, base), live_from: at.toISOString() },
  });
}
