/** Why somebody is in a segment, or is not: its list, its rules, condition by condition. */
import { Badge, Box, Code, Group, Stack, Text } from "@mantine/core";
import { IconCheck, IconX } from "@tabler/icons-react";
import type { Schema } from "~/api/client";
import { describeCondition } from "~/segments/describe";
import { BucketBar } from "./bucket-bar";

type Rule = Schema<"RuleExplanation">;
type Condition = Schema<"ConditionExplanation">;

export function Outcome({ matched }: { matched: boolean }) {
  return matched ? (
    <IconCheck size={16} color="var(--mantine-color-teal-text)" aria-label="holds" />
  ) : (
    <IconX size={16} color="var(--mantine-color-red-text)" aria-label="does not hold" />
  );
}

function Seen({ condition, hidden }: { condition: Condition; hidden: boolean }) {
  if (hidden)
    return (
      <Text span size="sm" c="dimmed">
        value hidden
      </Text>
    );
  if (condition.actual === null || condition.actual === undefined)
    return (
      <Text span size="sm" c="dimmed">
        not set
      </Text>
    );
  return (
    <Text span size="sm" c="dimmed">
      saw <Code>{JSON.stringify(condition.actual)}</Code>
    </Text>
  );
}

function ConditionLine({ condition, hidden }: { condition: Condition; hidden: boolean }) {
  const { property, operator, expected, bucket, threshold } = condition;
  return (
    <Box>
      <Group gap="xs" align="center">
        <Outcome matched={condition.matched} />
        <Text span size="sm" style={{ overflowWrap: "anywhere" }}>
          {operator === null
            ? `${property}: an operator that is not known`
            : describeCondition({ property, operator, value: expected ?? "" })}
        </Text>
        {bucket === null && <Seen condition={condition} hidden={hidden} />}
        {condition.invalid && <Badge color="red">makes no sense</Badge>}
        {condition.decided && <Badge color="blue">decided</Badge>}
      </Group>
      {bucket !== null && threshold !== null && (
        <Box pl={26} pt={4}>
          <BucketBar
            bucket={bucket}
            shares={[{ label: "in it", start: 0, end: threshold, chosen: condition.matched }]}
          />
        </Box>
      )}
    </Box>
  );
}

const KINDS = { ALL: "All of", ANY: "Any of", NONE: "None of" };

function RuleLines({ rule, hidden }: { rule: Rule; hidden: boolean }) {
  // The dashboard builds rules that only hold other rules; they say nothing by themselves.
  const isWrapper = rule.conditions.length === 0 && rule.type === "ALL";
  const inner = (
    <>
      {rule.conditions.map((condition, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a trace does not change
        <ConditionLine key={index} condition={condition} hidden={hidden} />
      ))}
      {rule.rules.map((nested, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a trace does not change
        <RuleLines key={index} rule={nested} hidden={hidden} />
      ))}
      {rule.skipped > 0 && (
        <Text size="xs" c="dimmed">
          {rule.skipped === 1 ? "One more was" : `${rule.skipped} more were`} not looked at: it was settled.
        </Text>
      )}
    </>
  );
  if (isWrapper) return inner;
  return (
    <Stack gap={6} pl="sm" style={{ borderLeft: "2px solid var(--mantine-color-default-border)" }}>
      <Group gap={6}>
        <Text size="xs" fw={700}>
          {KINDS[rule.type]}
        </Text>
        <Outcome matched={rule.matched} />
      </Group>
      {inner}
    </Stack>
  );
}

export function SegmentTrace({ trace, hidden }: { trace: Schema<"SegmentExplanation">; hidden: boolean }) {
  if (trace.list)
    return (
      <Text size="sm">
        {trace.list === "included"
          ? "It is in the segment's list of members, so its rules do not matter."
          : "It is in the segment's list of those who are left out, so its rules do not matter."}
      </Text>
    );
  return (
    <Stack gap="xs">
      {trace.circular && (
        <Text size="sm">Its conditions read flags that depend on one another in a circle.</Text>
      )}
      {trace.rules.length === 0 && !trace.circular && (
        <Text size="sm" c="dimmed">
          It has no rules, and the identity is not in its list.
        </Text>
      )}
      {trace.rules.map((rule, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a trace does not change
        <RuleLines key={index} rule={rule} hidden={hidden} />
      ))}
    </Stack>
  );
}
