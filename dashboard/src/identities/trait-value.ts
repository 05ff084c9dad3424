/** Values of traits: their four kinds, and the shape in which the API takes them. */
import type { Schema } from "~/api/client";

export const TRAIT_KINDS = [
  { value: "unicode", label: "Text" },
  { value: "int", label: "Whole number" },
  { value: "float", label: "Decimal number" },
  { value: "bool", label: "True or false" },
] as const;

export type TraitKind = (typeof TRAIT_KINDS)[number]["value"];

export function textOf(trait: Schema<"TraitView">): string {
  const value = {
    int: trait.integer_value,
    float: trait.float_value,
    bool: trait.boolean_value,
    unicode: trait.string_value,
  }[trait.value_type];
  return value === null ? "" : String(value);
}

/** What is wrong with a text as a value of a kind. */
export function problemOf(kind: TraitKind, text: string): string | undefined {
  if (kind === "int" && (!/^-?\d+$/.test(text) || !Number.isSafeInteger(Number(text))))
    return "A whole number.";
  if (kind === "float" && (text.trim() === "" || !Number.isFinite(Number(text)))) return "A number.";
  return undefined;
}

export function toBody(key: string, kind: TraitKind, text: string): Schema<"WholeTraitBody"> {
  const body = { trait_key: key, value_type: kind };
  if (kind === "int") return { ...body, integer_value: Number(text) };
  if (kind === "float") return { ...body, float_value: Number(text) };
  if (kind === "bool") return { ...body, boolean_value: text === "true" };
  return { ...body, string_value: text };
}
