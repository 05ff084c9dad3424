/** Builds the rules of a segment: groups of conditions that all must hold. */
import {
  Autocomplete,
  Badge,
  Box,
  Button,
  Divider,
  Group,
  Paper,
  SegmentedControl,
  Select,
  Stack,
  Text,
} from "@mantine/core";
import { IconPlus, IconTrash, IconX } from "@tabler/icons-react";
import { IconButton } from "~/parts/icon-button";
import { ConditionValue } from "./condition-value";
import { chosen, offered, useChoices, withChoice } from "./operators";
import {
  type Condition,
  type Group as Conditions,
  emptyCondition,
  emptyGroup,
  emptyRule,
  hasValue,
  type Kind,
  needsProperty,
  problemOf,
  type Rule,
} from "./rules";

interface Shared {
  traitKeys: string[];
  showProblems: boolean;
  disabled?: boolean;
}

interface EditProps<T> extends Shared {
  value: T;
  onChange: (value: T) => void;
  onRemove: () => void;
}

function replaced<T extends { key: number }>(items: T[], item: T): T[] {
  return items.map((one) => (one.key === item.key ? item : one));
}

function without<T extends { key: number }>(items: T[], item: T): T[] {
  return items.filter((one) => one.key !== item.key);
}

function ConditionRow({
  value: condition,
  onChange,
  onRemove,
  traitKeys,
  showProblems,
  disabled,
}: EditProps<Condition>) {
  const problem = showProblems ? problemOf(condition) : undefined;
  const isAboutProperty = problem === "Which trait?";
  const choices = offered(useChoices(), condition);
  const choice = choices.find(({ value }) => value === chosen(condition));
  return (
    <Group gap="xs" align="flex-start" data-testid="condition">
      <Autocomplete
        aria-label="Trait"
        placeholder={needsProperty(condition.operator) ? "trait" : "identity"}
        data={traitKeys}
        value={condition.property}
        onChange={(property) => onChange({ ...condition, property })}
        error={isAboutProperty && problem}
        disabled={disabled}
        w={{ base: "100%", sm: 180 }}
      />
      <Select
        aria-label="Operator"
        data={choices.map(({ value, label }) => ({ value, label }))}
        value={chosen(condition)}
        onChange={(value) => value && onChange(withChoice(condition, value))}
        allowDeselect={false}
        searchable
        maxDropdownHeight={360}
        disabled={disabled}
        w={{ base: "100%", sm: 190 }}
      />
      {hasValue(condition.operator) && (
        <ConditionValue
          condition={condition}
          onChange={(value) => onChange({ ...condition, value })}
          placeholder={choice?.placeholder}
          isNumber={choice?.isNumber}
          error={isAboutProperty ? undefined : problem}
          disabled={disabled}
        />
      )}
      <IconButton size="lg" aria-label="Remove this condition" onClick={onRemove} disabled={disabled}>
        <IconX size={16} />
      </IconButton>
      {choice?.warning && (
        <Text size="xs" c="dimmed" w="100%">
          {choice.warning}
        </Text>
      )}
    </Group>
  );
}

const KINDS: { value: Kind; label: string }[] = [
  { value: "ANY", label: "Any of" },
  { value: "ALL", label: "All of" },
  { value: "NONE", label: "None of" },
];

function ConditionGroup({ value: group, onChange, onRemove, ...shared }: EditProps<Conditions>) {
  return (
    <Paper p="md" bg="var(--burgee-ground)">
      <Stack gap="sm">
        <Group justify="space-between">
          <SegmentedControl
            aria-label="How many of these conditions must hold"
            data={KINDS}
            value={group.kind}
            onChange={(kind) => onChange({ ...group, kind: kind as Kind })}
            disabled={shared.disabled}
          />
          <IconButton aria-label="Remove this group" onClick={onRemove} disabled={shared.disabled}>
            <IconTrash size={16} />
          </IconButton>
        </Group>
        {group.conditions.map((condition, index) => (
          <Stack key={condition.key} gap="xs">
            {index > 0 && <Divider label={group.kind === "ALL" ? "and" : "or"} labelPosition="left" />}
            <ConditionRow
              value={condition}
              onChange={(changed) => onChange({ ...group, conditions: replaced(group.conditions, changed) })}
              onRemove={() =>
                group.conditions.length === 1
                  ? onRemove()
                  : onChange({ ...group, conditions: without(group.conditions, condition) })
              }
              {...shared}
            />
          </Stack>
        ))}
        <Box>
          <Button
            variant="subtle"
            size="xs"
            leftSection={<IconPlus size={14} />}
            onClick={() => onChange({ ...group, conditions: [...group.conditions, emptyCondition()] })}
            disabled={shared.disabled}
          >
            Add a condition
          </Button>
        </Box>
      </Stack>
    </Paper>
  );
}

function RuleEditor({ value: rule, onChange, onRemove, ...shared }: EditProps<Rule>) {
  const joint = { ALL: "and", ANY: "or", NONE: "nor" }[rule.kind];
  return (
    <Stack gap="sm">
      {rule.kind !== "ALL" && (
        <Group>
          <Text size="sm">{rule.kind === "ANY" ? "Any of these groups:" : "None of these groups:"}</Text>
        </Group>
      )}
      {rule.groups.map((group, index) => (
        <Stack key={group.key} gap="sm">
          {index > 0 && (
            <Badge variant="default" style={{ alignSelf: "center" }}>
              {joint}
            </Badge>
          )}
          <ConditionGroup
            value={group}
            onChange={(changed) => onChange({ ...rule, groups: replaced(rule.groups, changed) })}
            onRemove={() =>
              rule.groups.length === 1
                ? onRemove()
                : onChange({ ...rule, groups: without(rule.groups, group) })
            }
            {...shared}
          />
        </Stack>
      ))}
      <Box>
        <Button
          variant="light"
          size="xs"
          leftSection={<IconPlus size={14} />}
          onClick={() => onChange({ ...rule, groups: [...rule.groups, emptyGroup()] })}
          disabled={shared.disabled}
        >
          Add a group
        </Button>
      </Box>
    </Stack>
  );
}

interface RuleBuilderProps extends Shared {
  rules: Rule[];
  onChange: (rules: Rule[]) => void;
}

export function RuleBuilder({ rules, onChange, ...shared }: RuleBuilderProps) {
  return (
    <Stack gap="md">
      {rules.map((rule) => (
        <RuleEditor
          key={rule.key}
          value={rule}
          onChange={(changed) => onChange(replaced(rules, changed))}
          onRemove={() => onChange(without(rules, rule))}
          {...shared}
        />
      ))}
      {rules.length === 0 && (
        <Button
          variant="light"
          leftSection={<IconPlus size={16} />}
          onClick={() => onChange([emptyRule()])}
          disabled={shared.disabled}
        >
          Add a rule
        </Button>
      )}
    </Stack>
  );
}
