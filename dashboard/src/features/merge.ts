/** Two people edited one flag: what one of them changed, put on top of what the other saved. */
import { type Draft, type Override, type State, sameState } from "./draft";

function pick<T>(base: T, mine: T, theirs: T): T {
  return mine === base ? theirs : mine;
}

function mergeWeights(
  base: State["weights"],
  mine: State["weights"],
  theirs: State["weights"],
): State["weights"] {
  const isUntouched = Object.keys({ ...base, ...mine }).every((id) => base[Number(id)] === mine[Number(id)]);
  // Shares belong together: half of one split and half of another need not make a hundred.
  return isUntouched ? theirs : mine;
}

function mergeState(base: State, mine: State, theirs: State): State {
  return {
    enabled: pick(base.enabled, mine.enabled, theirs.enabled),
    value: pick(base.value, mine.value, theirs.value),
    weights: mergeWeights(base.weights, mine.weights, theirs.weights),
  };
}

function bySegment(draft: Draft): Map<number, Override> {
  return new Map(draft.overrides.map((override) => [override.segment, override]));
}

function order(draft: Draft): string {
  return draft.overrides.map((override) => override.segment).join();
}

export function merge(base: Draft, mine: Draft, theirs: Draft): Draft {
  const [was, own, other] = [bySegment(base), bySegment(mine), bySegment(theirs)];
  const leading = order(mine) === order(base) ? theirs : mine;
  const segments = [
    ...new Set([...leading.overrides, ...mine.overrides, ...theirs.overrides].map((one) => one.segment)),
  ];
  const overrides = segments.flatMap((segment): Override[] => {
    const [before, here, there] = [was.get(segment), own.get(segment), other.get(segment)];
    if (here && there) return [{ ...mergeState(before ?? there, here, there), segment }];
    // Removed on one side: it stays removed unless the other side changed it.
    const left = here ?? there;
    return left && (!before || !sameState(before, left)) ? [left] : [];
  });
  return { ...mergeState(base, mine, theirs), overrides };
}
