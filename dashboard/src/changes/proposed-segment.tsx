/** What a change request would make of a segment, against the segment as it is. */
import { Badge, Group, Paper, Stack, Text } from "@mantine/core";
import { api, type Schema } from "~/api/client";
import { FieldChanges } from "~/audit/field-changes";
import { Loaded } from "~/parts/states";
import { describeRules } from "~/segments/describe";

type Proposed = Schema<"ProposedSegment">;
type Shown = Pick<Proposed, "name" | "description" | "rules">;

/** The fields that are different, as people read them. */
function differences(before: Shown | undefined, after: Shown) {
  const fields = (segment: Shown | undefined) => ({
    name: segment?.name,
    description: segment?.description ?? "",
    who_is_in_it: segment && describeRules(segment.rules),
  });
  const [old, fresh] = [fields(before), fields(after)];
  return (Object.keys(fresh) as (keyof typeof fresh)[])
    .map((field) => ({ field, old: old[field] ?? null, new: fresh[field] ?? null }))
    .filter((change) => (change.old ?? "") !== (change.new ?? ""));
}

function Changed({ segment, before }: { segment: Proposed; before: Shown | undefined }) {
  return (
    <Paper p="sm">
      <Group justify="space-between" mb="xs">
        <Text fw={600} size="sm">
          {segment.name}
        </Text>
        <Badge color={before ? "blue" : "teal"}>{before ? "changed" : "new segment"}</Badge>
      </Group>
      <FieldChanges changes={differences(before, segment)} />
    </Paper>
  );
}

function Edited({ segment, of, project }: { segment: Proposed; of: number; project: number }) {
  const query = api.useQuery("get", "/api/v1/projects/{project_id}/segments/{id}/", {
    params: { path: { project_id: project, id: of } },
  });
  return <Loaded query={query}>{(before) => <Changed segment={segment} before={before} />}</Loaded>;
}

export function ProposedSegments({ segments, project }: { segments: Proposed[]; project: number }) {
  return (
    <Stack gap="sm">
      {segments.map((segment) =>
        segment.version_of === null ? (
          <Changed key={segment.id} segment={segment} before={undefined} />
        ) : (
          <Edited key={segment.id} segment={segment} of={segment.version_of} project={project} />
        ),
      )}
    </Stack>
  );
}
