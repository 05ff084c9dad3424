/** Which pages and parts there are only where a flag is on. */
import { useOwnFlags } from "./client";
import { type FlagState, type FlagStates, jsonOf, type OwnFlag } from "./flags";

/** Pages by the last part of their address, with the flag that has to be on for them. */
const PAGES: Record<string, OwnFlag> = {
  "change-requests": "4eyes",
  compare: "compare_environments",
  "custom-fields": "enable_metadata",
  integrations: "integration_data",
  "project-change-requests": "4eyes",
  roles: "show_role_management",
  usage: "usage_chart",
};

/** Whether there is the page at this address, or at this route. */
export function isThere(path: string, flags: FlagStates): boolean {
  const name = /\/(?:environment|organisation)\/[^/]+\/([a-z-]+)/.exec(path)?.[1] ?? "";
  const flag = Object.hasOwn(PAGES, name) ? PAGES[name] : undefined;
  return flag === undefined || flags[flag].enabled;
}

export function useIsThere(): (path: string) => boolean {
  const flags = useOwnFlags();
  return (path) => isThere(path, flags);
}

/** The environments a new project begins with. */
export function environmentNames(state: FlagState): string[] {
  const names = jsonOf(state);
  const usable = Array.isArray(names) ? names.filter((name) => typeof name === "string" && name.trim()) : [];
  return usable.length > 0 ? (usable as string[]) : ["Development", "Production"];
}

/** Whether an integration can be set up: those named in the value, and no others. */
export function hasIntegration(name: string, state: FlagState): boolean {
  const named = jsonOf(state);
  return typeof named === "object" && named !== null && Object.hasOwn(named, name);
}

/** Plans that have something, where plans decide. */
const PLANS = { roles: /^(scale-up|enterprise)/i, second_factor: /^(start-?up|scale-up|enterprise)/i };

/** Whether a plan has something. Without the flag every plan has everything. */
export function planHas(what: keyof typeof PLANS, plan: string, flags: FlagStates): boolean {
  return !flags.plan_based_access.enabled || PLANS[what].test(plan);
}
