/** What a project does about personal data that would be stored, and what was found of it. */
import { Button, Code, Group, Radio, Stack, Table, TagsInput, Text } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
import { DeleteButton } from "~/parts/confirm";
import { Form } from "~/parts/form";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { Time } from "~/parts/time";
import { about, Refusal } from "~/session/refusal";
import type { Project } from "~/shell/place";

type Mode = Schema<"PiiMode">;
type Finding = Schema<"PiiFinding">;

const FINDINGS = "/api/v1/projects/{project_id}/pii-findings/";

const MODES: { mode: Mode; label: string; description: string }[] = [
  { mode: "off", label: "Off", description: "Nobody looks." },
  { mode: "warn", label: "Warn", description: "It is stored and counted, and the caller is warned." },
  {
    mode: "hash",
    label: "Hash",
    description: "A keyed hash is stored in its place. Whoever is asked for by the same text is found by it.",
  },
  { mode: "refuse", label: "Refuse", description: "The request is refused, and nothing of it is stored." },
];

const KINDS: Record<Finding["kind"], string> = {
  email: "E-mail address",
  phone: "Phone number",
  card: "Payment card",
  iban: "IBAN",
  ip: "IP address",
};

const DONE: Record<Mode, string> = { off: "", warn: "stored", hash: "hashed", refuse: "refused" };

function GuardForm({ project, disabled }: { project: Project; disabled: boolean }) {
  const [mode, setMode] = useState<Mode>(project.pii_mode ?? "off");
  const [traits, setTraits] = useState(project.pii_allowed_traits ?? []);
  const [values, setValues] = useState(project.pii_allowed_values ?? []);
  const save = useAct(
    () =>
      http.PATCH("/api/v1/projects/{project_id}/", {
        params: { path: { project_id: project.id } },
        body: { pii_mode: mode, pii_allowed_traits: traits, pii_allowed_values: values },
      }),
    { changes: ["/api/v1/projects/"], done: "Saved.", quiet: true },
  );
  return (
    <Form onSubmit={() => save.mutate()}>
      <Refusal error={save.error} fields={["pii_mode", "pii_allowed_traits", "pii_allowed_values"]} />
      <Radio.Group
        label="What is done about it"
        value={mode}
        onChange={(next) => setMode(next as Mode)}
        error={about(save.error, "pii_mode")}
      >
        <Stack gap="xs" mt="xs">
          {MODES.map(({ mode: value, label, description }) => (
            <Radio key={value} value={value} label={label} description={description} disabled={disabled} />
          ))}
        </Stack>
      </Radio.Group>
      <TagsInput
        label="Traits that are not looked at"
        description="Their keys, and the context kinds of lists. Enter adds one."
        placeholder={disabled ? undefined : "app_version"}
        disabled={disabled}
        value={traits}
        onChange={setTraits}
        error={about(save.error, "pii_allowed_traits")}
      />
      <TagsInput
        label="Values that are fine"
        description="Whole values; * stands for any characters. Enter adds one."
        placeholder={disabled ? undefined : "*@example.com"}
        disabled={disabled}
        value={values}
        onChange={setValues}
        error={about(save.error, "pii_allowed_values")}
      />
      <Group>
        <Button type="submit" loading={save.isPending} disabled={disabled}>
          Save
        </Button>
      </Group>
    </Form>
  );
}

function Rows({ found }: { found: Finding[] }) {
  return (
    <Table.ScrollContainer minWidth={560}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>What</Table.Th>
            <Table.Th>Where</Table.Th>
            <Table.Th>Was</Table.Th>
            <Table.Th ta="right">Times</Table.Th>
            <Table.Th>Last</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {found.map((one) => (
            <Table.Tr key={[one.entrance, one.field, one.name, one.kind, one.mode].join(" ")}>
              <Table.Td>{KINDS[one.kind]}</Table.Td>
              <Table.Td>
                {one.entrance}, <Code>{one.name ? `${one.field}: ${one.name}` : one.field}</Code>
              </Table.Td>
              <Table.Td>{DONE[one.mode]}</Table.Td>
              <Table.Td ta="right">{one.count.toLocaleString()}</Table.Td>
              <Table.Td>
                <Time at={one.last_at} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Findings({ project }: { project: Project }) {
  const path = { project_id: project.id };
  const query = api.useQuery("get", FINDINGS, { params: { path } });
  const clear = useAct(() => http.DELETE(FINDINGS, { params: { path } }), {
    quiet: true,
    changes: [FINDINGS],
    done: "It is counted anew.",
  });
  return (
    <Loaded query={query} rows={2}>
      {(found) =>
        found.length === 0 ? (
          <Text size="sm" c="dimmed">
            Nothing was found so far.
          </Text>
        ) : (
          <Stack>
            <Rows found={found} />
            <Group>
              <DeleteButton
                label="Count anew"
                action="Count anew"
                title="Count findings anew"
                name={project.name}
                onConfirm={clear.mutateAsync}
              >
                How often personal data was found so far is forgotten. What is stored stays.
              </DeleteButton>
            </Group>
          </Stack>
        )
      }
    </Loaded>
  );
}

export function PiiSettings({ project, isAdmin }: { project: Project; isAdmin: boolean }) {
  return (
    <Section
      title="Personal data"
      description="E-mail addresses, phone and card numbers, IBANs and IP addresses in identifiers, traits, members of lists, syncs and imports. Transient traits always pass: they are never stored."
    >
      <GuardForm project={project} disabled={!isAdmin} />
      {isAdmin ? (
        <Findings project={project} />
      ) : (
        <Text size="sm" c="dimmed">
          What was found is for administrators of the project to see.
        </Text>
      )}
    </Section>
  );
}
