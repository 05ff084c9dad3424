/** Whom to explain, as the address has it, as the form has it, and as the API takes it. */
import type { Schema } from "~/api/client";
import { problemOf, type TraitKind } from "~/identities/trait-value";

export type TraitValue = string | number | boolean;

/** What stands in the address: a link to it shows the same to somebody else. */
export interface Question {
  identifier?: string;
  /** Laid over those that are stored. */
  traits?: Record<string, TraitValue>;
  /** Part of a feature's name. */
  q?: string;
  /** Only what is not as for everybody. */
  special?: boolean;
  /** The feature that is unfolded. */
  open?: string;
}

function text(value: unknown): string | undefined {
  // A text of digits comes out of the address as a number.
  return value === undefined || value === null || value === "" ? undefined : String(value);
}

function isTraitValue(value: unknown): value is TraitValue {
  return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

/** Reads the address; what it does not understand it leaves out. */
export function readQuestion(search: Record<string, unknown>): Question {
  const { traits } = search;
  const isObject = traits !== null && typeof traits === "object" && !Array.isArray(traits);
  const given = isObject ? Object.entries(traits).filter(([, value]) => isTraitValue(value)) : [];
  return {
    identifier: text(search.identifier),
    traits: given.length > 0 ? Object.fromEntries(given) : undefined,
    q: text(search.q),
    special: search.special === true || undefined,
    open: text(search.open),
  };
}

export function isAsked({ identifier, traits }: Question): boolean {
  return identifier !== undefined || traits !== undefined;
}

export function toBody({ identifier, traits = {} }: Question): Schema<"ExplainBody"> {
  return {
    ...(identifier !== undefined && { identifier }),
    traits: Object.entries(traits).map(([trait_key, trait_value]) => ({
      trait_key,
      trait_value,
      transient: true,
    })),
  };
}

/** A trait while it is typed. */
export interface TraitRow {
  /** Tells rows apart. */
  key: number;
  name: string;
  kind: TraitKind;
  text: string;
}

let last = 0;

export function emptyRow(): TraitRow {
  last += 1;
  return { key: last, name: "", kind: "unicode", text: "" };
}

function kindOf(value: TraitValue): TraitKind {
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  return "unicode";
}

export function rowsOf(traits: Question["traits"] = {}): TraitRow[] {
  return Object.entries(traits).map(([name, value]) => ({
    ...emptyRow(),
    name,
    kind: kindOf(value),
    text: String(value),
  }));
}

function typed({ kind, text }: TraitRow): TraitValue {
  if (kind === "bool") return text === "true";
  return kind === "unicode" ? text : Number(text);
}

/** What is wrong with a row; one without a name is left out. */
export function rowProblem(row: TraitRow): string | undefined {
  return row.name.trim() === "" ? undefined : problemOf(row.kind, row.text);
}

export function traitsOf(rows: TraitRow[]): Question["traits"] {
  const named = rows.filter((row) => row.name.trim() !== "");
  return named.length > 0 ? Object.fromEntries(named.map((row) => [row.name.trim(), typed(row)])) : undefined;
}
