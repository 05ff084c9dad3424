/** Takes a file of members in, and tells what came of it. */
import { Alert, Button, FileInput, Group, Radio, SegmentedControl, Stack, Text } from "@mantine/core";
import { IconFileUpload } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import type { Schema } from "~/api/client";
import { sendFile } from "~/api/files";
import { TypedName } from "~/parts/confirm";
import { Sending, useSending } from "~/parts/file-sending";
import { Form } from "~/parts/form";
import { Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";
import { LIST_PATHS, type ListSegment, type Side } from "./lists";

type Mode = "add" | "remove" | "replace";

const MODES: { value: Mode; label: string; description: string }[] = [
  { value: "add", label: "Add", description: "Those in the file come to the list." },
  { value: "remove", label: "Remove", description: "Those in the file leave the list." },
  {
    value: "replace",
    label: "Replace",
    description: "The file is the list, from one moment to the next. Who is not in it leaves.",
  },
];

export const SIDES: { value: Side; label: string }[] = [
  { value: "included", label: "Who is in" },
  { value: "excluded", label: "Who is not" },
];

/** How many of this side there are, over all kinds. */
function present(list: ListSegment, side: Side): number {
  return side === "included" ? list.included : list.excluded;
}

export function Outcome({ outcome }: { outcome: Schema<"MembersUploaded"> }) {
  const { empty, duplicates, too_long } = outcome.ignored;
  const passed = [
    empty > 0 && `${empty.toLocaleString()} empty`,
    duplicates > 0 && `${duplicates.toLocaleString()} there twice`,
    too_long > 0 && `${too_long.toLocaleString()} too long`,
  ].filter(Boolean);
  return (
    <Alert color={too_long > 0 ? "yellow" : "teal"} role="status" title="The file is in">
      <Text size="sm">
        {outcome.added.toLocaleString()} added, {outcome.removed.toLocaleString()} removed,{" "}
        {outcome.unchanged.toLocaleString()} as they were. The list has {outcome.members.toLocaleString()}{" "}
        members now.
      </Text>
      {passed.length > 0 && <Text size="sm">Lines passed over: {passed.join(", ")}.</Text>}
    </Alert>
  );
}

export function UploadMembers({ list, onClose }: { list: ListSegment; onClose: () => void }) {
  const { environment } = usePlace();
  const sending = useSending();
  const [file, setFile] = useState<File | null>(null);
  const [mode, setMode] = useState<Mode>("add");
  const [side, setSide] = useState<Side>("included");
  const [typed, setTyped] = useState("");
  const upload = useAct(
    (file: File) =>
      sending.track((around) =>
        sendFile<Schema<"MembersUploaded">>(
          "/api/v1/environments/{environment_key}/list-segments/{segment_key}/members/upload/",
          {
            path: { environment_key: environment.api_key, segment_key: list.key },
            query: { mode, side: side === "included" ? undefined : side },
          },
          file,
          around,
        ),
      ),
    { quiet: true, changes: LIST_PATHS },
  );
  const asksForName = mode === "replace" && present(list, side) > 0;
  if (upload.data) {
    return (
      <Stack>
        <Outcome outcome={upload.data} />
        <Group justify="flex-end">
          <Button variant="default" onClick={() => upload.reset()}>
            Another file
          </Button>
          <Button onClick={onClose}>Close</Button>
        </Group>
      </Stack>
    );
  }
  return (
    <Form
      onSubmit={() => {
        if (file) upload.mutate(file);
      }}
    >
      <Refusal error={upload.error} />
      <FileInput
        label="File"
        description="CSV, or a line of JSON for each; packed with gzip or not; of any size"
        placeholder="Choose a file"
        leftSection={<IconFileUpload size={16} />}
        accept=".csv,.txt,.ndjson,.jsonl,.json,.gz"
        required
        clearable
        clearButtonProps={{ "aria-label": "Choose no file" }}
        value={file}
        onChange={setFile}
        disabled={upload.isPending}
      />
      <SegmentedControl
        aria-label="Which side of the list"
        size="sm"
        data={SIDES}
        value={side}
        onChange={(value) => setSide(value as Side)}
        disabled={upload.isPending}
      />
      <Radio.Group
        label="What happens"
        value={mode}
        onChange={(value) => {
          setMode(value as Mode);
          setTyped("");
        }}
      >
        <Stack gap="xs" mt={6}>
          {MODES.map((one) => (
            <Radio key={one.value} {...one} disabled={upload.isPending} />
          ))}
        </Stack>
      </Radio.Group>
      {asksForName && (
        <Alert color="yellow">
          <Stack gap="xs">
            <Text size="sm">
              {present(list, side).toLocaleString()} members are there in {environment.name}. Those that are
              not in the file leave.
            </Text>
            <TypedName name={list.name} value={typed} onChange={setTyped} />
          </Stack>
        </Alert>
      )}
      <Sending {...sending} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          type="submit"
          loading={upload.isPending}
          disabled={!file || (asksForName && typed !== list.name)}
        >
          Send the file
        </Button>
      </Group>
    </Form>
  );
}
