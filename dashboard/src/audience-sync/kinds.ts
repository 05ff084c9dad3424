/** The kinds of objects that are listed; syncs have pages of their own. Apart from the lists, which are loaded when shown. */
import type { Kind } from "./objects";

const LISTED = ["sources", "models", "destinations", "channels"] as const satisfies Exclude<Kind, "syncs">[];

export type ListedKind = (typeof LISTED)[number];

export function isListed(kind: string): kind is ListedKind {
  return LISTED.some((listed) => listed === kind);
}
