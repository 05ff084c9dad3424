/** Names members by hand: a few that come, or go. */
import { Button, Group, SegmentedControl, Text, Textarea } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { Form } from "~/parts/form";
import { about, Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";
import { LIST_PATHS, type ListSegment, linesOf, type Side } from "./lists";
import { SIDES } from "./upload-members";

/** What the API takes in one request. */
const MOST = 10_000;

export function EditMembers({ list, onClose }: { list: ListSegment; onClose: () => void }) {
  const { environment } = usePlace();
  const [text, setText] = useState("");
  const [act, setAct] = useState<"add" | "remove">("add");
  const [side, setSide] = useState<Side>("included");
  const members = linesOf(text);
  const save = useAct(
    () =>
      http.POST("/api/v1/environments/{environment_key}/list-segments/{segment_key}/members/", {
        params: { path: { environment_key: environment.api_key, segment_key: list.key } },
        body: { [act]: members, side },
      }),
    {
      quiet: true,
      changes: LIST_PATHS,
      done: ({ added, removed, unchanged }) =>
        `${added.toLocaleString()} added, ${removed.toLocaleString()} removed, ${unchanged.toLocaleString()} as they were.`,
      after: onClose,
    },
  );
  return (
    <Form onSubmit={() => save.mutate()}>
      <Refusal error={save.error} fields={[act]} />
      <Group gap="xs">
        <SegmentedControl
          aria-label="Add or remove"
          size="sm"
          data={[
            { value: "add", label: "Add" },
            { value: "remove", label: "Remove" },
          ]}
          value={act}
          onChange={(value) => setAct(value as "add" | "remove")}
        />
        <SegmentedControl
          aria-label="Which side of the list"
          size="sm"
          data={SIDES}
          value={side}
          onChange={(value) => setSide(value as Side)}
        />
      </Group>
      <Textarea
        label="Members"
        description="One a line"
        data-autofocus
        autosize
        minRows={5}
        maxRows={16}
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        error={
          members.length > MOST
            ? `Up to ${MOST.toLocaleString()} at once; send a file of more.`
            : about(save.error, act)
        }
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      />
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {members.length.toLocaleString()} named
        </Text>
        <Group gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            type="submit"
            loading={save.isPending}
            disabled={members.length === 0 || members.length > MOST}
          >
            {act === "add" ? "Add them" : "Remove them"}
          </Button>
        </Group>
      </Group>
    </Form>
  );
}
