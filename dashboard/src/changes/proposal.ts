/** What a change request proposes, as changes of the flag as it is now. */
import type { Schema } from "~/api/client";
import { type Change, type Draft, draftOf, type State } from "~/features/draft";
import { fromTyped } from "~/lib/value";

type Details = Schema<"ChangeRequestDetails">;
type StateChange = Schema<"StateChangeView">;
/** What change requests and scheduled changes say alike. */
type ChangeSet = Pick<
  Schema<"ChangeSetView">,
  "feature_states_to_update" | "feature_states_to_create" | "segment_ids_to_delete_overrides"
> &
  Partial<Schema<"ChangeSetView">>;

/** The feature a request is about, and the part of the request that says so. */
export function featuresOf(request: Details): number[] {
  const states = [
    ...request.feature_states,
    ...request.environment_feature_versions.flatMap((one) => one.feature_states),
  ];
  return [
    ...new Set([...request.change_sets.map((set) => set.feature), ...states.map((state) => state.feature)]),
  ];
}

export function plannedFor(request: Details): string | null {
  const times = [
    ...request.change_sets.map((set) => set.live_from),
    ...request.environment_feature_versions.map((version) => version.live_from),
    ...request.feature_states.map((state) => state.live_from),
  ];
  return times.find((time) => time !== null && new Date(time) > new Date()) ?? null;
}

function after(
  change: Pick<StateChange, "enabled" | "feature_state_value" | "multivariate_feature_state_values">,
  before: State | null,
): State {
  const shares = change.multivariate_feature_state_values.map(
    (one) => [one.multivariate_feature_option, one.percentage_allocation] as const,
  );
  return {
    enabled: change.enabled ?? before?.enabled ?? false,
    value: change.feature_state_value ? fromTyped(change.feature_state_value) : (before?.value ?? null),
    weights: { ...before?.weights, ...Object.fromEntries(shares) },
  };
}

function placeOf(draft: Draft, segment: number): number {
  return draft.overrides.findIndex((override) => override.segment === segment);
}

function toChange(draft: Draft, change: StateChange): Change {
  const target = change.feature_segment;
  if (!target) return { segment: null, before: draft, after: after(change, draft) };
  const place = placeOf(draft, target.segment);
  const before = draft.overrides[place] ?? null;
  const moves =
    before && target.priority !== null && target.priority !== undefined && target.priority !== place;
  return {
    segment: target.segment,
    before,
    after: after(change, before),
    priority: moves ? { before: place + 1, after: (target.priority ?? 0) + 1 } : undefined,
  };
}

/** A change set as it is taken back: what a value does not say of its kind is left out. */
export function toChangeSetBody(
  set: Schema<"ChangeSetView">,
): NonNullable<Schema<"ImpactBody">["change_sets"]>[number] {
  const state = ({ feature_state_value: value, ...change }: StateChange) => ({
    ...change,
    ...(value && { feature_state_value: { ...value, type: value.type ?? undefined } }),
  });
  return {
    feature: set.feature,
    feature_states_to_update: set.feature_states_to_update.map(state),
    feature_states_to_create: set.feature_states_to_create.map(state),
    segment_ids_to_delete_overrides: set.segment_ids_to_delete_overrides,
  };
}

/** The changes of one change set against a flag. */
export function changesOf(set: ChangeSet, flag: Schema<"FlagView">): Change[] {
  const draft = draftOf(flag);
  const removed = set.segment_ids_to_delete_overrides.map((segment) => ({
    segment,
    before: draft.overrides[placeOf(draft, segment)] ?? null,
    after: null,
  }));
  return [
    ...[...set.feature_states_to_update, ...set.feature_states_to_create].map((change) =>
      toChange(draft, change),
    ),
    ...removed,
  ];
}
