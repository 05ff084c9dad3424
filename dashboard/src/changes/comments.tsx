/** What people say about a change request. */
import { Avatar, Box, Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http } from "~/api/client";
import type { Member } from "~/organisation/members";
import { nameOf } from "~/parts/person";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { Time } from "~/parts/time";

const PATH = "/api/v1/features/workflows/change-requests/{id}/comments/";

export function Comments({ request, members }: { request: number; members: Member[] }) {
  const [text, setText] = useState("");
  const query = api.useQuery("get", PATH, { params: { path: { id: request }, query: ALL } });
  const send = useAct(
    () => http.POST(PATH, { params: { path: { id: request } }, body: { text: text.trim() } }),
    {
      changes: [PATH],
      after: () => setText(""),
    },
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
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send.mutate();
        }}
      >
        <Stack gap="xs">
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
        </Stack>
      </form>
    </Section>
  );
}
