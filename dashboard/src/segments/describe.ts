/** A segment's rules as a sentence, for lists. */
import type { Schema } from "~/api/client";
import { OPERATORS, rulesOf, toModulo } from "./rules";

const WORDS = new Map<string, string>(OPERATORS.map(({ value, label }) => [value, label]));

/** A condition in words. */
export function describeCondition({
  property,
  operator,
  value,
}: {
  property: string;
  operator: string;
  value: string;
}): string {
  const subject = property || "the identity";
  if (operator === "PERCENTAGE_SPLIT") return `${subject} is in a share of ${value} %`;
  if (operator === "MODULO") {
    const [divisor, remainder] = toModulo(value);
    return `${subject} divided by ${divisor} leaves ${remainder}`;
  }
  return [subject, WORDS.get(operator) ?? operator, value.replace(":semver", "").replaceAll(",", ", ")]
    .filter(Boolean)
    .join(" ");
}

export function describeRules(rules: Schema<"RuleView">[]): string {
  const joints = { ALL: " and ", ANY: " or ", NONE: " nor " };
  return rulesOf(rules)
    .flatMap((rule) => rule.groups)
    .map((group) => {
      const text = group.conditions.map(describeCondition).join(group.kind === "ALL" ? " and " : " or ");
      if (group.kind === "NONE") return `not (${text})`;
      return group.kind === "ANY" && group.conditions.length > 1 ? `(${text})` : text;
    })
    .join(joints[rules[0]?.type ?? "ALL"]);
}
