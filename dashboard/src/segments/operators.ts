/** The operators a condition can have, as the flag `segment_operators` lists them. */
import { useMemo } from "react";
import { useOwnFlag } from "~/own-flags/client";
import { DEFAULTS, type FlagState, jsonOf, textIn } from "~/own-flags/flags";
import { asVersion, type Condition, hasValue, isVersion, OPERATORS, type Operator } from "./rules";

const SEMVER = ":semver";

/** An operator as it is chosen: of its own, or comparing versions, which is the same operator with another value. */
export interface Choice {
  /** `GREATER_THAN`, or `GREATER_THAN:semver`. */
  value: string;
  label: string;
  placeholder?: string;
  warning?: string;
  isNumber: boolean;
}

function operatorIn(choice: string): Operator {
  return (choice.endsWith(SEMVER) ? choice.slice(0, -SEMVER.length) : choice) as Operator;
}

function listed(state: FlagState): Choice[] {
  const list = jsonOf(state);
  return (Array.isArray(list) ? list : []).flatMap((item) => {
    const value = textIn(item, "value");
    if (!value || !OPERATORS.some((known) => known.value === operatorIn(value))) return [];
    return {
      value,
      label: textIn(item, "label") ?? value,
      placeholder: textIn(item, "valuePlaceholder"),
      // It may be written in HTML; it is shown as text.
      warning: textIn(item, "warning")?.replace(/<[^>]*>/g, ""),
      isNumber: textIn(item, "type") === "number",
    };
  });
}

/** What the value of the flag offers; without a usable one, every operator there is. */
export function choicesOf(state: FlagState): Choice[] {
  const choices = listed(state);
  return choices.length > 0 ? choices : listed(DEFAULTS.segment_operators);
}

export function useChoices(): Choice[] {
  const state = useOwnFlag("segment_operators");
  return useMemo(() => choicesOf(state), [state]);
}

/** What was chosen for a condition. Equality compares versions by its value alone, and is no choice of its own. */
export function chosen({ operator, value }: Condition): string {
  return /_THAN/.test(operator) && isVersion(value) ? operator + SEMVER : operator;
}

/** What can be chosen for a condition: what is offered, and what it has already. */
export function offered(choices: Choice[], condition: Condition): Choice[] {
  const value = chosen(condition);
  if (choices.some((choice) => choice.value === value)) return choices;
  const known = listed(DEFAULTS.segment_operators).find((choice) => choice.value === value);
  return [...choices, known ?? { value, label: value, isNumber: false }];
}

/** The condition with another operator, its value in the form that takes. */
export function withChoice(condition: Condition, choice: string): Condition {
  const operator = operatorIn(choice);
  if (operator === "MODULO") return { ...condition, operator, value: "|" };
  if (!hasValue(operator)) return { ...condition, operator, value: "" };
  return {
    ...condition,
    operator,
    value: asVersion(condition.value.replace("|", ""), choice.endsWith(SEMVER)),
  };
}
