/** An explanation: who was looked at, and every flag, to be unfolded. */
import { Accordion, Alert, Badge, Box, Group, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Schema } from "~/api/client";
import { asValue } from "~/lib/value";
import { Section } from "~/parts/section";
import { Empty } from "~/parts/states";
import { Value } from "~/parts/value";
import { usePlace } from "~/shell/place";
import { FlagTrace } from "./flag-trace";
import type { Question } from "./question";

type View = Schema<"ExplanationView">;
type Flag = Schema<"FlagExplanation">;

/** Who was evaluated: stored or not, and with which traits. */
function Asked({ explanation }: { explanation: View }) {
  const { project, environment } = usePlace();
  const { identity, sensitive_data_hidden: hidden } = explanation;
  return (
    <Stack gap="xs">
      <Group gap="xs">
        {identity.id === null ? (
          <Badge color="gray">not stored</Badge>
        ) : (
          <Link
            className="row-link"
            to="/project/$project/environment/$environment/identities/$identity"
            params={{
              project: String(project.id),
              environment: environment.api_key,
              identity: String(identity.id),
            }}
          >
            Open the identity
          </Link>
        )}
        <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          split by <span className="mono">{identity.hashing_key}</span>
        </Text>
      </Group>
      {hidden ? (
        <Alert color="gray">This environment hides sensitive data: values of traits are not shown.</Alert>
      ) : (
        <Group gap="xs">
          {identity.traits.map((one) => (
            <Badge
              key={one.trait_key}
              color={one.stored ? "gray" : "cyan"}
              size="lg"
              style={{ maxWidth: "100%" }}
            >
              {one.trait_key}: {String(one.trait_value)}
              {!one.stored && " (given)"}
            </Badge>
          ))}
          {identity.traits.length === 0 && (
            <Text size="sm" c="dimmed">
              Without any traits.
            </Text>
          )}
        </Group>
      )}
    </Stack>
  );
}

function Why({ flag }: { flag: Flag }) {
  const winner = flag.candidates.find((candidate) => candidate.won);
  return (
    <Group gap={6}>
      {winner?.source === "IDENTITY" && <Badge color="cyan">own override</Badge>}
      {winner?.source === "SEGMENT" && <Badge color="grape">{winner.segment?.name}</Badge>}
      {flag.split && <Badge color="orange">{flag.variant ?? "a variation"}</Badge>}
      {winner?.source === "ENVIRONMENT" && !flag.split && (
        <Text size="xs" c="dimmed">
          as everybody
        </Text>
      )}
      {flag.is_server_key_only && <Badge color="gray">server-side only</Badge>}
    </Group>
  );
}

function isSpecial(flag: Flag): boolean {
  return flag.split !== null || flag.candidates.some((one) => one.won && one.source !== "ENVIRONMENT");
}

function FlagItem({ flag, explanation, isOpen }: { flag: Flag; explanation: View; isOpen: boolean }) {
  return (
    <Accordion.Item value={flag.feature.name} data-testid="flag">
      <Accordion.Control>
        <Group gap="sm" justify="space-between" pr="sm">
          <Text className="mono" fw={600} style={{ overflowWrap: "anywhere", flex: "1 1 12rem" }}>
            {flag.feature.name}
          </Text>
          <Badge color={flag.enabled ? "teal" : "gray"}>{flag.enabled ? "on" : "off"}</Badge>
          <Box style={{ flex: "1 1 8rem", minWidth: 0 }}>
            <Value value={asValue(flag.feature_state_value)} />
          </Box>
          <Box style={{ flex: "1 1 8rem" }}>
            <Why flag={flag} />
          </Box>
        </Group>
      </Accordion.Control>
      <Accordion.Panel>
        {isOpen && (
          <FlagTrace flag={flag} segments={explanation.segments} hidden={explanation.sensitive_data_hidden} />
        )}
      </Accordion.Panel>
    </Accordion.Item>
  );
}

interface ExplanationProps {
  explanation: View;
  question: Question;
  onChange: (change: Partial<Question>) => void;
  filter: ReactNode;
}

export function Explanation({ explanation, question, onChange, filter }: ExplanationProps) {
  const search = question.q?.toLowerCase() ?? "";
  const shown = explanation.flags.filter(
    (flag) => flag.feature.name.toLowerCase().includes(search) && (!question.special || isSpecial(flag)),
  );
  const isIn = explanation.segments.filter((one) => one.matched);
  return (
    <>
      <Section title={explanation.identity.identifier}>
        <Asked explanation={explanation} />
        <Group gap="xs">
          <Text size="sm" fw={600}>
            Segments
          </Text>
          {isIn.map(({ segment }) => (
            <Badge key={segment.id} color="grape">
              {segment.name}
            </Badge>
          ))}
          {isIn.length === 0 && (
            <Text size="sm" c="dimmed">
              It is in none.
            </Text>
          )}
        </Group>
      </Section>
      <Group gap="md">{filter}</Group>
      {shown.length === 0 ? (
        <Empty title={explanation.flags.length === 0 ? "No features yet" : "Nothing matches"} />
      ) : (
        <Accordion
          variant="contained"
          value={question.open ?? null}
          onChange={(open) => onChange({ open: open ?? undefined })}
        >
          {shown.map((flag) => (
            <FlagItem
              key={flag.feature.id}
              flag={flag}
              explanation={explanation}
              isOpen={question.open === flag.feature.name}
            />
          ))}
        </Accordion>
      )}
    </>
  );
}
