/** Takes a project over from LaunchDarkly; it is done in the background. */
import { Alert, Badge, Button, Group, List, PasswordInput, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
import { Form } from "~/parts/form";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { TextField } from "~/parts/text-field";
import { Time } from "~/parts/time";
import { about, Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";

const PATH = "/api/v1/projects/{project_id}/imports/launch-darkly/";

type Import = Schema<"LaunchDarklyImportView">;

const RESULTS = {
  success: { label: "done", color: "teal" },
  incomplete: { label: "done in part", color: "yellow" },
  failure: { label: "failed", color: "red" },
} as const;

function OneImport({ one }: { one: Import }) {
  const { result, requested_flag_count, requested_environment_count, error_messages } = one.status;
  const told = result ? RESULTS[result] : { label: "at work", color: "gray" };
  return (
    <Stack gap={6}>
      <Group gap="xs">
        <Badge color={told.color}>{told.label}</Badge>
        <Text size="sm">
          {requested_flag_count} flags, {requested_environment_count} environments
        </Text>
        <Text size="sm" c="dimmed">
          <Time at={one.created_at} />
        </Text>
      </Group>
      {error_messages.length > 0 && (
        <Alert color={result === "failure" ? "red" : "yellow"}>
          <List size="sm">
            {error_messages.map((message) => (
              <List.Item key={message} style={{ overflowWrap: "anywhere" }}>
                {message}
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
    </Stack>
  );
}

export function LaunchDarklyImport() {
  const { project } = usePlace();
  const [token, setToken] = useState("");
  const [key, setKey] = useState("");
  const params = { path: { project_id: project.id } };
  const query = api.useQuery(
    "get",
    PATH,
    { params },
    { refetchInterval: ({ state }) => (state.data?.some((one) => one.completed_at === null) ? 1000 : false) },
  );
  const ask = useAct(
    () => http.POST(PATH, { params, body: { token: token.trim(), project_key: key.trim() } }),
    { quiet: true, changes: [PATH], done: "It has begun.", after: () => setToken("") },
  );
  return (
    <Section
      title="From LaunchDarkly"
      description="Flags, segments and environments of a project there come into this one."
    >
      <Form onSubmit={() => ask.mutate()}>
        <Refusal error={ask.error} fields={["token", "project_key"]} />
        <PasswordInput
          label="Access token"
          description="One that may read the project. It is kept, encrypted, until the import is done."
          autoComplete="off"
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          error={about(ask.error, "token")}
          visibilityToggleButtonProps={{ "aria-label": "Show the token" }}
          maw={480}
        />
        <TextField
          label="Key of the project there"
          placeholder="default"
          value={key}
          onChange={setKey}
          error={about(ask.error, "project_key")}
          maw={480}
        />
        <Group>
          <Button type="submit" loading={ask.isPending} disabled={!token.trim() || !key.trim()}>
            Begin the import
          </Button>
        </Group>
      </Form>
      <Loaded query={query} rows={1}>
        {(imports) => imports.map((one) => <OneImport key={one.id} one={one} />)}
      </Loaded>
    </Section>
  );
}
