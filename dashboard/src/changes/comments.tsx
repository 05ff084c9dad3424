/** What people say about a change request. */
import { Avatar, Box, Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http } from "~/api/client";
import type { Member } from "~/organisation/members";
import { Form } from "~/parts/form";
import { nameOf } from "~/parts/person";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { Time } from "~/parts/time";

const OF_ENVIRONMENT = "/api/v1/features/workflows/change-requests/{id}/comments/";
const OF_PROJECT = "/api/v1/projects/{project_id}/change-requests/{id}/comments/";

interface CommentsProps {
  request: number;
  /** Set where the request is about the segments of a project. */
  project?: number;
  members: Member[];
}

function useComments({ request: id, project }: CommentsProps) {
  const isProject = project !== undefined;
  const ofEnvironment = api.useQuery(
    "get",
    OF_ENVIRONMENT,
    { params: { path: { id }, query: ALL } },
    { enabled: !isProject },
  );
  const ofProject = api.useQuery(
    "get",
    OF_PROJECT,
    { params: { path: { id, project_id: project ?? 0 }, query: ALL } },
    { enabled: isProject },
  );
  return isProject ? ofProject : ofEnvironment;
}

export function Comments({ request: id, project, members }: CommentsProps) {
  const [text, setText] = useState("");
  const query = useComments({ request: id, project, members });
  const send = useAct(
    () => {
      const body = { text: text.trim() };
      return project === undefined
        ? http.POST(OF_ENVIRONMENT, { params: { path: { id } }, body })
        : http.POST(OF_PROJECT, { params: { path: { id, project_id: project } }, body });
    },
    { changes: [OF_ENVIRONMENT, OF_PROJECT], after: () => setText("") },
  );
  const name = (id: number | null) => {
    const member = members.find((one) => one.id === id);
    return member ? nameOf(member) : "Somebody who left";
  };
  return (
    <Section title="Discussion">
      <Loaded query={query} rows={1}>
        {({ results }) => (
          <Stack>
            {results.map((comment) => (
              <Group key={comment.id} align="flex-start" wrap="nowrap" gap="sm">
                <Avatar size={28} radius="xl" name={name(comment.user)} aria-hidden />
                <Box>
                  <Text size="xs" c="dimmed">
                    {name(comment.user)}, <Time at={comment.created_at} />
                  </Text>
                  <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
                    {comment.text}
                  </Text>
                </Box>
              </Group>
            ))}
          </Stack>
        )}
      </Loaded>
      <Form onSubmit={() => send.mutate()} gap="xs">
        <Textarea
          aria-label="Comment"
          placeholder="Say something about it"
          autosize
          minRows={2}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Group>
          <Button type="submit" variant="light" loading={send.isPending} disabled={!text.trim()}>
            Comment
          </Button>
        </Group>
      </Form>
    </Section>
  );
}
