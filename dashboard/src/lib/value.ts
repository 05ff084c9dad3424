/** Values of flags: the three kinds there are, and the shapes in which the API takes and gives them. */
import type { Schema } from "~/api/client";

export type Value = string | number | boolean | null;
export type Kind = "text" | "number" | "boolean";

export function kindOf(value: Value): Kind {
  if (typeof value === "number") return "number";
  return typeof value === "boolean" ? "boolean" : "text";
}

/** Numbers of flags are whole and have 32 bits. */
export function isWhole(text: string): boolean {
  return /^-?\d{1,10}$/.test(text) && Math.abs(Number(text)) <= 2 ** 31 - 1;
}

/** The same value as another kind; text that is no number becomes 0. */
export function convert(value: Value, kind: Kind): Value {
  if (kind === "text") return value === null ? "" : String(value);
  if (kind === "boolean") return value === true || value === "true" || value === 1;
  return isWhole(String(value)) ? Number(value) : 0;
}

export function asValue(value: unknown): Value {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;
}

/** As a flag's update takes it. */
export function toFlagValue(value: Value): { type: "integer" | "string" | "boolean"; value: string } {
  if (typeof value === "number") return { type: "integer", value: String(value) };
  if (typeof value === "boolean") return { type: "boolean", value: String(value) };
  return { type: "string", value: value ?? "" };
}

export function fromFlagValue(view: Schema<"FlagValueView"> | null | undefined): Value {
  if (!view) return null;
  if (view.type === "integer") return Number(view.value);
  if (view.type === "boolean") return view.value.toLowerCase() === "true";
  return view.value;
}

type Typed = {
  type: "unicode" | "int" | "bool";
  string_value: string | null;
  integer_value: number | null;
  boolean_value: boolean | null;
};

/** As change sets, options and states of versions take it. */
export function toTyped(value: Value): Typed {
  const none = { string_value: null, integer_value: null, boolean_value: null };
  if (typeof value === "number") return { ...none, type: "int", integer_value: value };
  if (typeof value === "boolean") return { ...none, type: "bool", boolean_value: value };
  return { ...none, type: "unicode", string_value: value ?? "" };
}

interface AnyTyped {
  type?: string | null;
  string_value?: string | null;
  integer_value?: number | null;
  boolean_value?: boolean | null;
}

export function fromTyped(typed: AnyTyped | null | undefined): Value {
  if (!typed) return null;
  if (typed.type === "int") return typed.integer_value ?? null;
  if (typed.type === "bool") return typed.boolean_value ?? null;
  return typed.string_value ?? null;
}

/** On one line, for lists. */
export function brief(value: Value): string {
  return value === null || value === "" ? "—" : String(value);
}
