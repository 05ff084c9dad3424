/** What a change would do: numbers before and after, and some of those who would notice. */
import { Alert, Badge, Box, Group, Paper, Stack, Table, Text } from "@mantine/core";
import { IconArrowRight } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { Schema } from "~/api/client";
import { asValue } from "~/lib/value";
import { Value } from "~/parts/value";
import { usePlace } from "~/shell/place";
import { all, bounds, sentence, words } from "./words";

type Impact = Schema<"ImpactView">;
type Count = Schema<"CountView">;

function Answer({ answer }: { answer: Schema<"AnswerView"> }) {
  return (
    <Group gap={6} style={{ minWidth: 96 }}>
      <Badge color={answer.enabled ? "teal" : "gray"}>{answer.enabled ? "on" : "off"}</Badge>
      <Value value={asValue(answer.feature_state_value)} />
      {answer.variant !== null && answer.variant !== "control" && (
        <Badge color="orange">{answer.variant}</Badge>
      )}
    </Group>
  );
}

function People({ count }: { count: Count }) {
  const between = bounds(count);
  return (
    <Box component="span">
      <Text span size="sm">
        {words(count)}
      </Text>
      {between && (
        <Text span display="block" size="xs" c="dimmed">
          {between}
        </Text>
      )}
    </Box>
  );
}

function Arrow() {
  return <IconArrowRight size={14} aria-label="becomes" style={{ flexShrink: 0 }} />;
}

function FeatureTable({ impact, showName }: { impact: Schema<"FeatureImpactView">; showName: boolean }) {
  return (
    <Box>
      {showName && (
        <Text size="sm" fw={600} className="mono" mb={4}>
          {impact.feature.name}
        </Text>
      )}
      <Table verticalSpacing={6} horizontalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Answer</Table.Th>
            <Table.Th>Before</Table.Th>
            <Table.Th>After</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {impact.answers.map(({ answer, before, after }) => (
            <Table.Tr key={JSON.stringify(answer)}>
              <Table.Td>
                <Answer answer={answer} />
              </Table.Td>
              <Table.Td>
                <People count={before} />
              </Table.Td>
              <Table.Td>
                <People count={after} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {impact.is_cut && (
        <Text size="xs" c="dimmed">
          And answers that fewer get.
        </Text>
      )}
    </Box>
  );
}

function SegmentLine({ impact }: { impact: Schema<"SegmentImpactView"> }) {
  return (
    <Group gap="xs">
      <Text size="sm" fw={600}>
        Members
      </Text>
      <People count={impact.before} />
      <Arrow />
      <People count={impact.after} />
      <Badge color="teal">{words(impact.joining)} join</Badge>
      <Badge color="orange">{words(impact.leaving)} leave</Badge>
    </Group>
  );
}

function Affected({ affected }: { affected: Schema<"AffectedView"> }) {
  const { project, environment } = usePlace();
  const names = (segments: Schema<"ImpactedName">[]) => segments.map((segment) => segment.name).join(", ");
  return (
    <Paper p="xs" component="li">
      <Group gap="xs" justify="space-between">
        <Link
          to="/project/$project/environment/$environment/identities/$identity"
          params={{
            project: String(project.id),
            environment: environment.api_key,
            identity: String(affected.id),
          }}
          target="_blank"
          className="row-link"
          style={{ overflowWrap: "anywhere" }}
        >
          {affected.identifier}
        </Link>
        {affected.joining.length > 0 && <Badge color="teal">joins {names(affected.joining)}</Badge>}
        {affected.leaving.length > 0 && <Badge color="orange">leaves {names(affected.leaving)}</Badge>}
      </Group>
      {affected.features.map(({ feature, before, after }) => (
        <Group key={feature.id} gap="xs" mt={4}>
          <Text size="xs" className="mono" c="dimmed">
            {feature.name}
          </Text>
          <Answer answer={before} />
          <Arrow />
          <Answer answer={after} />
        </Group>
      ))}
    </Paper>
  );
}

export function Report({ impact }: { impact: Impact }) {
  const { changed, exact, identities, evaluated, features, segments, sample } = impact;
  if (identities === 0)
    return <Alert color="gray">No identities are stored here yet, so there is nobody to count.</Alert>;
  return (
    <Stack gap="sm" data-testid="impact">
      <Box role="status">
        <Group gap="xs">
          <Text fw={600}>
            {sentence(`${words(changed)} of ${all(identities)} identities would get another answer.`)}
          </Text>
          {!exact && <Badge color="yellow">estimate</Badge>}
        </Group>
        <Text size="xs" c="dimmed">
          {exact
            ? "All stored identities were evaluated."
            : `Estimated from ${all(evaluated)} identities drawn at random: ${bounds(changed) ?? "none of them"}, as 95 of 100 such samples would say.`}
        </Text>
      </Box>
      {segments.map((segment) => (
        <SegmentLine key={segment.segment.id} impact={segment} />
      ))}
      {features.map((feature) => (
        <FeatureTable
          key={feature.feature.id}
          impact={feature}
          showName={features.length > 1 || segments.length > 0}
        />
      ))}
      {sample.length > 0 && (
        <Stack gap={6}>
          <Text size="sm" fw={600}>
            {sample.length === 1 ? "Who would notice" : `${sample.length} of those who would notice`}
          </Text>
          <Stack
            component="ul"
            gap={6}
            p={0}
            m={0}
            mah={260}
            tabIndex={0}
            aria-label="Who would notice"
            style={{ listStyle: "none", overflowY: "auto" }}
          >
            {sample.map((affected) => (
              <Affected key={affected.id} affected={affected} />
            ))}
          </Stack>
        </Stack>
      )}
    </Stack>
  );
}
