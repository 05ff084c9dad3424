/** What a change request would change, against the flag as it is. */
import { Stack, Text } from "@mantine/core";
import { api, type Schema } from "~/api/client";
import { ChangeList } from "~/features/change-list";
import { FeatureLink } from "~/features/feature-row";
import { useFlag, useNames } from "~/features/flag";
import { ImpactPreview } from "~/impact/preview";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { usePlace } from "~/shell/place";
import { changesOf, toChangeSetBody } from "./proposal";

function Proposed({ set }: { set: Schema<"ProposedChangeSet"> }) {
  const { project, environment } = usePlace();
  const feature = api.useQuery("get", "/api/v1/projects/{project_id}/features/{feature_id}/", {
    params: { path: { project_id: project.id, feature_id: set.feature } },
  });
  const flag = useFlag(environment.api_key, set.feature);
  const names = useNames(project.id, feature.data?.multivariate_options ?? []);
  return (
    <Stack gap="xs">
      {feature.data && <FeatureLink feature={feature.data} />}
      <Loaded query={flag} rows={1}>
        {(flag) => <ChangeList changes={changesOf(set, flag)} names={names} />}
      </Loaded>
    </Stack>
  );
}

export function ProposedChanges({ request }: { request: Schema<"ChangeRequestDetails"> }) {
  const description = request.committed_at
    ? "What it changed, against how things are now."
    : "Against how things are now.";
  const others = request.feature_states.length + request.environment_feature_versions.length;
  return (
    <Section title="Changes" description={description}>
      {request.change_sets.map((set) => (
        <Proposed key={set.id} set={set} />
      ))}
      {!request.is_committed && request.change_sets.length > 0 && (
        <ImpactPreview proposal={{ change_sets: request.change_sets.map(toChangeSetBody) }} />
      )}
      {others > 0 && (
        <Text size="sm" c="dimmed">
          It also carries {others} {others === 1 ? "state" : "states"} written by another program, as the API
          shows them.
        </Text>
      )}
    </Section>
  );
}
