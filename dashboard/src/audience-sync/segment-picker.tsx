/** A list segment of this server, in the environment of a destination; one can be made on the way. */
import { Button, Group, Select, Stack } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http } from "~/api/client";
import { explain } from "~/api/error";
import { TextField } from "~/parts/text-field";
import { useEnvironment } from "./environment-picker";

const LISTS = "/api/v1/environments/{environment_key}/list-segments/";

interface SegmentPickerProps {
  environment: string;
  value: string;
  onChange: (key: string) => void;
  error?: string;
}

function CreateListSegment({ project, onMade }: { project: number; onMade: (key: string) => void }) {
  const [name, setName] = useState("");
  const create = useAct(
    () =>
      http.POST("/api/v1/projects/{project_id}/list-segments/", {
        params: { path: { project_id: project } },
        body: { name: name.trim() },
      }),
    {
      quiet: true,
      changes: [LISTS],
      done: `The list segment ${name} is created.`,
      after: (segment) => {
        setName("");
        onMade(segment.key);
      },
    },
  );
  return (
    <Group align="flex-end" gap="xs">
      <TextField
        label="Or a new list segment"
        placeholder="High value"
        style={{ flex: 1 }}
        value={name}
        onChange={setName}
        error={create.error && explain(create.error)}
      />
      <Button
        variant="default"
        loading={create.isPending}
        disabled={!name.trim()}
        onClick={() => create.mutate()}
      >
        Create it
      </Button>
    </Group>
  );
}

export function SegmentPicker({ environment, value, onChange, error }: SegmentPickerProps) {
  const here = useEnvironment(environment).data;
  const query = api.useQuery(
    "get",
    "/api/v1/environments/{environment_key}/list-segments/",
    { params: { path: { environment_key: environment }, query: ALL } },
    { enabled: environment !== "" },
  );
  // What a cohort keeps, a sync may not write to.
  const lists = (query.data?.results ?? []).filter((one) => !one.managed_by);
  return (
    <Stack gap="xs">
      <Select
        label="List segment"
        description={here && `In the environment ${here.name}.`}
        required
        searchable
        placeholder={query.data && lists.length === 0 ? "There is none yet" : "Choose a list segment"}
        nothingFoundMessage="There is none like that"
        data={lists.map((one) => ({
          value: one.key,
          label: `${one.name} (${one.included.toLocaleString()} members)`,
        }))}
        value={value || null}
        onChange={(key) => onChange(key ?? "")}
        error={error ?? (query.error && explain(query.error))}
      />
      {here && <CreateListSegment project={here.project} onMade={onChange} />}
    </Stack>
  );
}
