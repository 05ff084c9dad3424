/** A pipeline that features go through: its stages, who is where, and what holds whom up. */
import { Alert, Badge, Group, List, Progress, Stack, Text } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { FLAG_PATHS } from "~/features/use-toggle";
import { Confirm } from "~/parts/confirm";
import { IconButton } from "~/parts/icon-button";
import { Section } from "~/parts/section";
import { Time } from "~/parts/time";
import { usePlace } from "~/shell/place";
import { actionInWords, type Pipeline, stagesOf, waitInWords } from "./draft";
import { PIPELINES, useSegmentNames } from "./pipeline-form";

interface Names {
  feature: (id: number) => string;
  segment: (id: number) => string;
}

function FeatureLink({ id, name }: { id: number; name: string }) {
  const { project, environment } = usePlace();
  return (
    <Link
      className="row-link"
      to="/project/$project/environment/$environment/features/$feature"
      params={{ project: String(project.id), environment: environment.api_key, feature: String(id) }}
    >
      {name}
    </Link>
  );
}

interface TravellerProps {
  id: number;
  name: string;
  here: Schema<"FeatureInStage">;
  onRemove?: () => void;
}

function Traveller({ id, name, here, onRemove }: TravellerProps) {
  const rollout = here.phased_rollout_state;
  return (
    <Stack gap={4} data-testid="traveller">
      <Group justify="space-between" wrap="nowrap">
        <Group gap="xs">
          <FeatureLink id={id} name={name} />
          <Text size="sm" c="dimmed">
            entered <Time at={here.entered_at} />
            {here.due_at && (
              <>
                , acts <Time at={here.due_at} />
              </>
            )}
          </Text>
        </Group>
        {onRemove && (
          <IconButton aria-label={`Take ${name} out`} onClick={onRemove}>
            <IconX size={16} />
          </IconButton>
        )}
      </Group>
      {rollout && (
        <Group gap="xs" wrap="nowrap">
          <Progress
            value={rollout.current_split}
            aria-label={`${name} is on for ${rollout.current_split} %`}
            style={{ flex: 1 }}
          />
          <Text size="sm">{rollout.current_split} %</Text>
        </Group>
      )}
      {here.failure && <Alert color="red">It goes no further: {here.failure}</Alert>}
    </Stack>
  );
}

interface RunningProps {
  pipeline: Pipeline;
  features: { id: number; name: string }[];
  mayManage: boolean;
}

export function RunningPipeline({ pipeline, features, mayManage }: RunningProps) {
  const { project, environments } = usePlace();
  const segments = useSegmentNames(project.id).data?.results ?? [];
  const [removed, setRemoved] = useState<number>();
  const nameIn = (all: { id: number; name: string }[], what: string): Names["feature"] => {
    const names = new Map(all.map((one) => [one.id, one.name]));
    return (id) => names.get(id) ?? `${what} ${id}`;
  };
  const names: Names = {
    feature: nameIn(features, "feature"),
    segment: nameIn(segments, "segment"),
  };
  const takeOut = useAct(
    (feature_id: number) =>
      http.POST("/api/v1/projects/{project_id}/release-pipelines/{id}/remove-feature/", {
        params: { path: { project_id: project.id, id: pipeline.id } },
        body: { feature_id },
      }),
    { quiet: true, changes: [PIPELINES, ...FLAG_PATHS], done: "It is out." },
  );
  const drawn = stagesOf(pipeline);
  const stages = [...pipeline.stages].sort((one, other) => one.order - other.order);
  return (
    <>
      {stages.map((stage, index) => {
        const { wait = 0, actions = [] } = drawn[index] ?? {};
        const here = Object.entries(stage.features as Record<string, Schema<"FeatureInStage">>);
        return (
          <Section
            key={stage.id}
            title={`${index + 1}. ${stage.name}`}
            description={waitInWords(wait)}
            actions={<Badge>{environments.find((one) => one.id === stage.environment)?.name}</Badge>}
          >
            <List size="sm">
              {actions.map((action) => (
                <List.Item key={action.key} style={{ overflowWrap: "anywhere" }}>
                  {actionInWords(action, names.segment)}
                </List.Item>
              ))}
            </List>
            {here.map(([id, state]) => (
              <Traveller
                key={id}
                id={Number(id)}
                name={names.feature(Number(id))}
                here={state}
                onRemove={mayManage ? () => setRemoved(Number(id)) : undefined}
              />
            ))}
          </Section>
        );
      })}
      <Section title="Came through">
        {pipeline.completed_features.length === 0 ? (
          <Text size="sm" c="dimmed">
            No feature yet.
          </Text>
        ) : (
          <Group gap="sm">
            {pipeline.completed_features.map((id) => (
              <FeatureLink key={id} id={id} name={names.feature(id)} />
            ))}
          </Group>
        )}
      </Section>
      <Confirm
        opened={removed !== undefined}
        onClose={() => setRemoved(undefined)}
        title="Take the feature out"
        action="Take it out"
        onConfirm={async () => removed !== undefined && takeOut.mutateAsync(removed)}
      >
        It goes no further. What was done to it on its way stays.
      </Confirm>
    </>
  );
}
