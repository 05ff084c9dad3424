/**
 * A flag while it is edited: its default and its segment overrides in an environment, in order of priority.
 *
 * What is saved is the difference to what was loaded, in one of two shapes: a whole flag, which goes live at once, or a
 * change set, which waits for approval or for its time.
 */
import type { Schema } from "~/api/client";
import { fromFlagValue, toFlagValue, toTyped, type Value } from "~/lib/value";

export interface State {
  enabled: boolean;
  value: Value;
  /** Shares of variations by the id of their option, in per cent. */
  weights: Record<number, number>;
}

export interface Override extends State {
  segment: number;
}

export interface Draft extends State {
  overrides: Override[];
}

type View = Schema<"FlagView">;

function stateOf(view: Schema<"FlagDefaultView">): State {
  return {
    enabled: view.enabled,
    value: fromFlagValue(view.value),
    weights: Object.fromEntries(view.variants.map((variant) => [variant.id, variant.weight])),
  };
}

export function draftOf(view: View): Draft {
  const overrides = [...view.segment_overrides].sort((a, b) => a.priority - b.priority);
  return {
    ...stateOf(view.environment_default),
    overrides: overrides.map((override) => ({ ...stateOf(override), segment: override.segment.id })),
  };
}

function sameWeights(a: Record<number, number>, b: Record<number, number>): boolean {
  return [...Object.keys(a), ...Object.keys(b)].every((id) => a[Number(id)] === b[Number(id)]);
}

export function sameState(a: State, b: State): boolean {
  return a.enabled === b.enabled && a.value === b.value && sameWeights(a.weights, b.weights);
}

export function sameDraft(a: Draft, b: Draft): boolean {
  return changesBetween(a, b).length === 0;
}

/** What one part of a flag was and is to be. `segment: null` is the default. */
export interface Change {
  segment: number | null;
  before: State | null;
  after: State | null;
  /** Set where only the order of overrides changes. */
  priority?: { before: number; after: number };
}

export function changesBetween(before: Draft, after: Draft): Change[] {
  const changes: Change[] = [];
  if (!sameState(before, after)) changes.push({ segment: null, before, after });
  const old = new Map(before.overrides.map((override, index) => [override.segment, { override, index }]));
  after.overrides.forEach((override, index) => {
    const was = old.get(override.segment);
    const moved = was && was.index !== index ? { before: was.index + 1, after: index + 1 } : undefined;
    if (!was || moved || !sameState(was.override, override)) {
      changes.push({
        segment: override.segment,
        before: was?.override ?? null,
        after: override,
        priority: moved,
      });
    }
  });
  const kept = new Set(after.overrides.map((override) => override.segment));
  for (const { override } of old.values()) {
    if (!kept.has(override.segment))
      changes.push({ segment: override.segment, before: override, after: null });
  }
  return changes;
}

function variants(state: State) {
  return Object.entries(state.weights).map(([id, weight]) => ({ id: Number(id), weight }));
}

function flagState(state: State, before: State | undefined): Schema<"FlagBody">["environment_default"] {
  return {
    enabled: state.enabled,
    // A flag without a value stays one until somebody gives it one.
    ...((state.value !== null || before?.value !== null) && { value: toFlagValue(state.value) }),
    ...(Object.keys(state.weights).length > 0 && { variants: variants(state) }),
  };
}

/** The whole flag, to go live at once. Overrides that are not listed go. */
export function toFlag(draft: Draft, base: Draft): Schema<"FlagBody"> {
  const old = new Map(base.overrides.map((override) => [override.segment, override]));
  return {
    environment_default: flagState(draft, base),
    segment_overrides: draft.overrides.map((override, priority) => ({
      ...flagState(override, old.get(override.segment)),
      segment: { id: override.segment },
      priority,
    })),
  };
}

function typedState(
  state: State,
  segment?: { segment: number; priority: number },
): Schema<"StateChangeBody"> {
  return {
    enabled: state.enabled,
    feature_state_value: toTyped(state.value),
    multivariate_feature_state_values: Object.entries(state.weights).map(([id, share]) => ({
      multivariate_feature_option: Number(id),
      percentage_allocation: share,
    })),
    ...(segment && { feature_segment: segment }),
  };
}

/** The difference alone, to wait for approval or for its time. */
export function toChangeSet(
  feature: number,
  draft: Draft,
  base: Draft,
): Omit<Schema<"ScheduledChangeSetBody">, "live_from"> {
  const changes = changesBetween(base, draft);
  const priority = new Map(draft.overrides.map((override, index) => [override.segment, index]));
  const state = ({ segment, after }: Change) =>
    typedState(
      after as State,
      segment === null ? undefined : { segment, priority: priority.get(segment) ?? 0 },
    );
  const isNew = (change: Change) => change.segment !== null && change.before === null;
  return {
    feature,
    feature_states_to_update: changes.filter((change) => change.after && !isNew(change)).map(state),
    feature_states_to_create: changes.filter((change) => change.after && isNew(change)).map(state),
    segment_ids_to_delete_overrides: changes
      .filter((change) => !change.after)
      .map((change) => change.segment as number),
  };
}

/** What the value itself keeps of the hundred per cent. */
export function restOf(weights: Record<number, number>): number {
  const given = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return Math.round((100 - given) * 100) / 100;
}

/** Whether a draft could be saved: nothing is given away twice. */
export function isSound(draft: Draft): boolean {
  return [draft, ...draft.overrides].every((state) => restOf(state.weights) >= 0);
}
