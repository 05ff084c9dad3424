/**
 * The rules of a segment while they are edited.
 *
 * The API nests rules three deep: a segment has rules, which have rules, which have conditions. Here a segment is a list of
 * groups, all of which must hold (`ALL` at the top), each of them ANY, ALL or NONE of its conditions.
 */
import type { Schema } from "~/api/client";

export type Kind = Schema<"RuleKind">;

export interface Condition {
  /** Tells conditions apart while they are edited; not the id of the API. */
  key: number;
  property: string;
  operator: Operator;
  value: string;
  description: string;
}

export interface Group {
  key: number;
  kind: Kind;
  conditions: Condition[];
}

export interface Rule {
  key: number;
  kind: Kind;
  groups: Group[];
}

export const OPERATORS = [
  { value: "EQUAL", label: "is" },
  { value: "NOT_EQUAL", label: "is not" },
  { value: "IN", label: "is one of" },
  { value: "CONTAINS", label: "contains" },
  { value: "NOT_CONTAINS", label: "does not contain" },
  { value: "GREATER_THAN", label: "is greater than" },
  { value: "GREATER_THAN_INCLUSIVE", label: "is at least" },
  { value: "LESS_THAN", label: "is less than" },
  { value: "LESS_THAN_INCLUSIVE", label: "is at most" },
  { value: "REGEX", label: "matches the pattern" },
  { value: "MODULO", label: "divided leaves" },
  { value: "IS_SET", label: "is set" },
  { value: "IS_NOT_SET", label: "is not set" },
  { value: "PERCENTAGE_SPLIT", label: "is in a share of" },
] as const;

export type Operator = (typeof OPERATORS)[number]["value"];

let last = 0;
export function newKey(): number {
  last += 1;
  return last;
}

export function emptyCondition(): Condition {
  return { key: newKey(), property: "", operator: "EQUAL", value: "", description: "" };
}

export function emptyGroup(): Group {
  return { key: newKey(), kind: "ANY", conditions: [emptyCondition()] };
}

export function emptyRule(): Rule {
  return { key: newKey(), kind: "ALL", groups: [emptyGroup()] };
}

/** Operators whose value says nothing. */
export function hasValue(operator: Operator): boolean {
  return operator !== "IS_SET" && operator !== "IS_NOT_SET";
}

/** Whether the property may be left out: shares are of identities then. */
export function needsProperty(operator: Operator): boolean {
  return operator !== "PERCENTAGE_SPLIT";
}

export function isEquality(operator: Operator): boolean {
  return operator === "EQUAL" || operator === "NOT_EQUAL";
}

const SEMVER = ":semver";

/** Versions are compared as versions when their value ends so. */
export function isVersion(value: string): boolean {
  return value.endsWith(SEMVER);
}

export function asVersion(value: string, version: boolean): string {
  const bare = isVersion(value) ? value.slice(0, -SEMVER.length) : value;
  return version ? `${bare}${SEMVER}` : bare;
}

/** The members of a list value: JSON where a member has a comma, and commas otherwise. */
export function toList(value: string): string[] {
  if (value.startsWith("[")) {
    try {
      const list: unknown = JSON.parse(value);
      if (Array.isArray(list)) return list.map(String);
    } catch {
      // A list of texts, the first of which begins with a bracket.
    }
  }
  return value === "" ? [] : value.split(",");
}

export function fromList(list: string[]): string {
  return list.some((item) => item.includes(",") || item.startsWith("["))
    ? JSON.stringify(list)
    : list.join(",");
}

/** A remainder is written `divisor|remainder`. */
export function toModulo(value: string): [string, string] {
  const [divisor = "", remainder = ""] = value.split("|");
  return [divisor, remainder];
}

function conditionOf(view: Schema<"ConditionView">): Condition {
  return {
    key: newKey(),
    property: view.property ?? "",
    operator: view.operator as Operator,
    value: view.value ?? "",
    description: view.description ?? "",
  };
}

export function rulesOf(views: Schema<"RuleView">[]): Rule[] {
  return views.map((view) => {
    const groups = view.rules.map((group) => ({
      key: newKey(),
      kind: group.type,
      conditions: group.conditions.map(conditionOf),
    }));
    // Conditions that hang directly on the rule are a group of the rule's own kind.
    if (view.conditions.length > 0)
      groups.push({ key: newKey(), kind: view.type, conditions: view.conditions.map(conditionOf) });
    return { key: newKey(), kind: view.type, groups };
  });
}

type Body = NonNullable<Schema<"SegmentBody">["rules"]>;

export function toBody(rules: Rule[]): Body {
  return rules.map((rule) => ({
    type: rule.kind,
    conditions: [],
    rules: rule.groups.map((group) => ({
      type: group.kind,
      rules: [],
      conditions: group.conditions.map((condition) => ({
        operator: condition.operator,
        property: condition.property.trim() || null,
        value: hasValue(condition.operator) ? condition.value : "",
        description: condition.description || null,
      })),
    })),
  }));
}

/** What is still missing of a condition, or wrong with it. */
export function problemOf(condition: Condition): string | undefined {
  const { operator, property, value } = condition;
  if (needsProperty(operator) && !property.trim()) return "Which trait?";
  if (!hasValue(operator)) return undefined;
  if (operator === "PERCENTAGE_SPLIT")
    return Number(value) >= 0 && Number(value) <= 100 && value !== "" ? undefined : "A share from 0 to 100.";
  if (operator === "MODULO") {
    const [divisor, remainder] = toModulo(value);
    const isRight =
      Number(divisor) !== 0 &&
      divisor !== "" &&
      remainder !== "" &&
      Number(remainder) < Math.abs(Number(divisor));
    return isRight ? undefined : "A divisor, and a remainder smaller than it.";
  }
  if (operator === "REGEX") {
    try {
      new RegExp(value);
    } catch {
      return "This is no pattern.";
    }
  }
  return value === "" || value === SEMVER ? "Which value?" : undefined;
}

export function problemsOf(rules: Rule[]): number {
  return rules
    .flatMap((rule) => rule.groups.flatMap((group) => group.conditions))
    .filter((one) => problemOf(one)).length;
}
