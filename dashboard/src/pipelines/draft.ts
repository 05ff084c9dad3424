/**
 * Release pipelines while they are drawn up.
 *
 * A pipeline has stages; a stage acts in one environment, at once or a while after a feature enters it. What the API keeps
 * in free-form bodies (`action_body`, `trigger_body`) is read here into fields, and written from them.
 */
import type { Schema } from "~/api/client";
import { inWords, secondsOf, toDuration } from "~/lib/duration";
import { asValue, fromFlagValue, fromTyped, type Value } from "~/lib/value";

export type Pipeline = Schema<"PipelineDetailView">;
export type ActionKind = Schema<"ActionKind">;

export interface Action {
  key: number;
  kind: ActionKind;
  enabled: boolean;
  value: Value;
  segment: number | null;
  initialShare: number;
  increaseBy: number;
  /** Seconds. */
  increaseEvery: number;
}

export interface Stage {
  key: number;
  name: string;
  environment: number;
  /** Seconds between a feature's entering and the actions; 0: at once. */
  wait: number;
  actions: Action[];
}

export const ACTIONS: { value: ActionKind; label: string }[] = [
  { value: "TOGGLE_FEATURE", label: "Turn it on or off" },
  { value: "UPDATE_FEATURE_VALUE", label: "Set its value" },
  { value: "TOGGLE_FEATURE_FOR_SEGMENT", label: "Turn it on or off for a segment" },
  { value: "UPDATE_FEATURE_VALUE_FOR_SEGMENT", label: "Set its value for a segment" },
  { value: "PHASED_ROLLOUT", label: "Turn it on bit by bit" },
];

let last = 0;
function newKey(): number {
  last += 1;
  return last;
}

export function newAction(): Action {
  return {
    key: newKey(),
    kind: "TOGGLE_FEATURE",
    enabled: true,
    value: null,
    segment: null,
    initialShare: 10,
    increaseBy: 10,
    increaseEvery: 86_400,
  };
}

export function newStage(environment: number, number: number): Stage {
  return { key: newKey(), name: `Stage ${number}`, environment, wait: 0, actions: [newAction()] };
}

export function needsSegment(kind: ActionKind): boolean {
  return kind.endsWith("_FOR_SEGMENT");
}

type Body = Record<string, unknown>;

/** The value of an action: plain, or one of the typed objects that the API takes as well. */
function valueIn(body: Body): Value {
  const given = body.feature_state_value ?? (body.type === undefined ? body.value : body);
  if (given === null || typeof given !== "object") return asValue(given);
  return "value" in given ? fromFlagValue(given as never) : fromTyped(given as never);
}

export function actionOf(view: Schema<"ActionView">): Action {
  const body = (view.action_body ?? {}) as Body;
  const segment = body.segment_id ?? body.segment;
  return {
    ...newAction(),
    kind: view.action_type,
    enabled: body.enabled !== false,
    value: valueIn(body),
    segment: typeof segment === "number" ? segment : null,
    ...(view.action_type === "PHASED_ROLLOUT" && {
      initialShare: Number(body.initial_split),
      increaseBy: Number(body.increase_by),
      increaseEvery: secondsOf(body.increase_every) ?? 0,
    }),
  };
}

export function stagesOf(pipeline: Pipeline): Stage[] {
  return [...pipeline.stages]
    .sort((one, other) => one.order - other.order)
    .map((stage) => {
      const body = (stage.trigger.trigger_body ?? {}) as Body;
      return {
        key: newKey(),
        name: stage.name,
        environment: stage.environment,
        wait: stage.trigger.trigger_type === "WAIT_FOR" ? (secondsOf(body.wait_for) ?? 0) : 0,
        actions: stage.actions.map(actionOf),
      };
    });
}

function bodyOf(action: Action): Body {
  const segment = needsSegment(action.kind) ? { segment_id: action.segment } : {};
  switch (action.kind) {
    case "TOGGLE_FEATURE":
    case "TOGGLE_FEATURE_FOR_SEGMENT":
      return { enabled: action.enabled, ...segment };
    case "UPDATE_FEATURE_VALUE":
    case "UPDATE_FEATURE_VALUE_FOR_SEGMENT":
      return { feature_state_value: action.value, ...segment };
    case "PHASED_ROLLOUT":
      return {
        initial_split: action.initialShare,
        increase_by: action.increaseBy,
        increase_every: toDuration(action.increaseEvery),
      };
  }
}

export function toBody(stages: Stage[]): Schema<"WholePipelineBody">["stages"] {
  return stages.map((stage, order) => ({
    name: stage.name.trim(),
    environment: stage.environment,
    order,
    trigger:
      stage.wait > 0
        ? { trigger_type: "WAIT_FOR" as const, trigger_body: { wait_for: toDuration(stage.wait) } }
        : { trigger_type: "ON_ENTER" as const, trigger_body: null },
    actions: stage.actions.map((action) => ({ action_type: action.kind, action_body: bodyOf(action) })),
  }));
}

/** What is still missing of a stage, or wrong with it. */
export function problemOf(stage: Stage): string | undefined {
  if (!stage.name.trim()) return "It needs a name.";
  if (stage.actions.some((action) => needsSegment(action.kind) && action.segment === null))
    return "For which segment?";
  const rollouts = stage.actions.filter((action) => action.kind === "PHASED_ROLLOUT");
  if (rollouts.length > 1) return "It can turn a feature on bit by bit once.";
  if (rollouts.some((action) => action.increaseBy <= 0 || action.increaseEvery <= 0))
    return "By how much, and how often?";
  return undefined;
}

/** What an action does, as a sentence. */
export function actionInWords(action: Action, segmentName: (id: number) => string): string {
  const whom = action.segment === null ? "" : ` for ${segmentName(action.segment)}`;
  switch (action.kind) {
    case "TOGGLE_FEATURE":
    case "TOGGLE_FEATURE_FOR_SEGMENT":
      return `Turns it ${action.enabled ? "on" : "off"}${whom}`;
    case "UPDATE_FEATURE_VALUE":
    case "UPDATE_FEATURE_VALUE_FOR_SEGMENT":
      return `Sets its value to ${action.value === null ? "nothing" : `“${action.value}”`}${whom}`;
    case "PHASED_ROLLOUT":
      return `Turns it on for ${action.initialShare} %, then for ${action.increaseBy} % more every ${inWords(action.increaseEvery).replace(/^1 /, "")}`;
  }
}

export function waitInWords(wait: number): string {
  return wait > 0 ? `${inWords(wait)} after a feature enters` : "When a feature enters";
}
