/** The flags that the dashboard is driven by: which there are, and what they are where nobody says otherwise. */
import table from "./flags.json";

/** A flag of the table, which the server seeds its project from. */
export type OwnFlag = keyof typeof table;

export interface FlagState {
  enabled: boolean;
  /** As the flag has it: text, or text of JSON. */
  value: string | null;
}

export type FlagStates = Record<OwnFlag, FlagState>;

/** A value as a flag's: a text. */
function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

export const DEFAULTS = Object.fromEntries(
  Object.entries(table).map(([name, flag]) => [name, { enabled: flag.enabled, value: textOf(flag.value) }]),
) as FlagStates;

/** What was told of the flags of the table. Flags that were not told are as by default. */
export function statesOf(flags: unknown): FlagStates {
  const states = { ...DEFAULTS };
  for (const flag of Array.isArray(flags) ? flags : []) {
    const name = flag?.feature?.name;
    if (typeof name !== "string" || !Object.hasOwn(DEFAULTS, name)) continue;
    states[name as OwnFlag] = { enabled: flag.enabled === true, value: textOf(flag.feature_state_value) };
  }
  return states;
}

/** The value as JSON; `undefined` where the flag is off, or its value is no JSON. */
export function jsonOf(state: FlagState): unknown {
  if (!state.enabled || state.value === null) return undefined;
  try {
    return JSON.parse(state.value);
  } catch {
    return undefined;
  }
}

/** A field of a JSON object that is a text. */
export function textIn(json: unknown, field: string): string | undefined {
  const value =
    json !== null && typeof json === "object" ? (json as Record<string, unknown>)[field] : undefined;
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}
