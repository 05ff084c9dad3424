/** What those in an experiment get: its part of the traffic, and how variants share it. */
import type { Schema } from "~/api/client";
import { asValue, brief, fromTyped, isWhole, toFlagValue } from "~/lib/value";

export type Feature = Schema<"ExperimentFeatureView">;
export type Body = Schema<"RolloutChange">["experiment_rollout"];
type Options = Feature["multivariate_options"];

type Control = NonNullable<Body>["feature_state_value"];

export interface Rollout {
  /** Percent of all identities. */
  traffic: number;
  /** Percent of those, by the option; the control has the rest. */
  shares: Record<number, number>;
}

/** Everybody alike: control and variants in equal parts. */
export function evenly(options: Options): Rollout {
  const share = Math.floor(100 / (options.length + 1));
  return { traffic: 100, shares: Object.fromEntries(options.map((option) => [option.id, share])) };
}

export function controlShare({ shares }: Rollout): number {
  return 100 - Object.values(shares).reduce((sum, share) => sum + share, 0);
}

/** What an experiment has, read from the document of the API, which leaves its form open. */
export function rolloutOf(view: unknown, options: Options): Rollout {
  if (view === null || typeof view !== "object") return evenly(options);
  const { rollout_percentage, multivariate_feature_state_values = [] } = view as Partial<NonNullable<Body>>;
  return {
    traffic: rollout_percentage ?? 0,
    shares: Object.fromEntries(
      multivariate_feature_state_values.map((one) => [
        one.multivariate_feature_option,
        one.percentage_allocation,
      ]),
    ),
  };
}

/** First values are kept as text, and served as what they look like. */
export function controlValue(feature: Pick<Feature, "initial_value">): Control {
  const text = feature.initial_value ?? "";
  if (isWhole(text)) return toFlagValue(Number(text));
  return toFlagValue(text === "true" || text === "false" ? text === "true" : text);
}

/** What the control gets: what was said when the experiment was made, or else the feature's first value. */
export function controlOf(view: unknown, feature: Pick<Feature, "initial_value">): Control {
  return (view as Body)?.feature_state_value ?? controlValue(feature);
}

export function toBody(control: Control, rollout: Rollout): NonNullable<Body> {
  return {
    enabled: true,
    rollout_percentage: rollout.traffic,
    feature_state_value: control,
    multivariate_feature_state_values: Object.entries(rollout.shares).map(([option, share]) => ({
      multivariate_feature_option: Number(option),
      percentage_allocation: share,
    })),
  };
}

/** What an option is called: by its key, or else its value. */
export function nameOf(option: Options[number]): string {
  return option.key || brief(asValue(fromTyped(option)));
}
