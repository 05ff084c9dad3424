/** What waits for its time: changes that somebody scheduled, and approved ones that take effect later. */
import {
  Badge,
  Box,
  Button,
  Collapse,
  Group,
  Modal,
  Paper,
  Stack,
  Text,
  UnstyledButton,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronRight, IconClock } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
import { ChangeList } from "~/features/change-list";
import { useFlag, useNames } from "~/features/flag";
import { useEnvironmentMay } from "~/lib/permissions";
import { useMembers } from "~/organisation/members";
import { Confirm } from "~/parts/confirm";
import { Form } from "~/parts/form";
import { Empty, Loaded } from "~/parts/states";
import { TextField } from "~/parts/text-field";
import { exactly, Time, toLocalField } from "~/parts/time";
import { about, Refusal } from "~/session/refusal";
import { type Environment, usePlace } from "~/shell/place";
import { useAllScheduled } from "./across";
import { changesOf } from "./proposal";
import { authorOf } from "./row";

type Scheduled = Schema<"ScheduledChangeView">;

const SCHEDULED = "/api/v1/environments/{environment_key}/scheduled-changes/";
const CHANGED = [SCHEDULED, "/api/__future__/", "/api/v1/projects/{project_id}/features/"];

interface OneProps {
  change: Scheduled;
  environment: Environment;
}

function useFeature(id: number) {
  const { project } = usePlace();
  return api.useQuery("get", "/api/v1/projects/{project_id}/features/{feature_id}/", {
    params: { path: { project_id: project.id, feature_id: id } },
  });
}

/** What it will change, against the flag as it is now. */
function What({ change, environment }: OneProps) {
  const { project } = usePlace();
  const feature = useFeature(change.feature).data;
  const flag = useFlag(environment.api_key, change.feature);
  const names = useNames(project.id, feature?.multivariate_options ?? []);
  if (change.environment_feature_version) {
    return (
      <Text size="sm" c="dimmed">
        A version of the feature that is written already goes live.
      </Text>
    );
  }
  return (
    <Loaded query={flag} rows={1}>
      {(flag) => <ChangeList changes={changesOf(change, flag)} names={names} />}
    </Loaded>
  );
}

function Reschedule({ change, environment, onClose }: OneProps & { onClose: () => void }) {
  const [at, setAt] = useState(toLocalField(new Date(change.live_from)));
  const path = { environment_key: environment.api_key, id: change.id };
  const save = useAct(
    () =>
      http.PATCH("/api/v1/environments/{environment_key}/scheduled-changes/{id}/", {
        params: { path },
        body: { live_from: new Date(at).toISOString() },
      }),
    { quiet: true, changes: CHANGED, done: "It happens at the new time.", after: onClose },
  );
  return (
    <Form onSubmit={() => save.mutate()}>
      <Refusal error={save.error} fields={["live_from"]} />
      <TextField
        type="datetime-local"
        label="When"
        required
        min={toLocalField(new Date())}
        value={at}
        onChange={setAt}
        error={about(save.error, "live_from")}
      />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Leave it
        </Button>
        <Button type="submit" loading={save.isPending} disabled={!at}>
          Save the time
        </Button>
      </Group>
    </Form>
  );
}

function Acts({ change, environment }: OneProps) {
  const params = { project: String(usePlace().project.id), environment: environment.api_key };
  const feature = useFeature(change.feature).data;
  const may = useEnvironmentMay(environment.api_key);
  const [moving, moves] = useDisclosure();
  const [asking, asks] = useDisclosure();
  const cancel = useAct(
    () =>
      http.DELETE("/api/v1/environments/{environment_key}/scheduled-changes/{id}/", {
        params: { path: { environment_key: environment.api_key, id: change.id } },
      }),
    { quiet: true, changes: CHANGED, done: "It will not happen." },
  );
  if (change.change_request !== null) {
    return (
      <Link
        to="/project/$project/environment/$environment/change-requests/$request"
        params={{ ...params, request: String(change.change_request) }}
      >
        <Text span size="sm">
          The change request that it is of
        </Text>
      </Link>
    );
  }
  if (!may("UPDATE_FEATURE_STATE", feature?.tags)) return null;
  return (
    <Group gap="xs">
      {!change.environment_feature_version && (
        <Button size="xs" variant="default" onClick={moves.open}>
          Another time
        </Button>
      )}
      <Button size="xs" variant="outline" color="red" onClick={asks.open}>
        Cancel it
      </Button>
      <Modal opened={moving} onClose={moves.close} title={`When ${feature?.name ?? "it"} changes`}>
        {moving && <Reschedule change={change} environment={environment} onClose={moves.close} />}
      </Modal>
      <Confirm
        opened={asking}
        onClose={asks.close}
        title="Cancel the change"
        action="Cancel it"
        onConfirm={cancel.mutateAsync}
      >
        {feature?.name ?? "The feature"} stays as it is. It does not change on {exactly(change.live_from)}.
      </Confirm>
    </Group>
  );
}

function ScheduledChange({ change, environment, showsPlace }: OneProps & { showsPlace: boolean }) {
  const { project } = usePlace();
  const [opened, { toggle }] = useDisclosure();
  const members = useMembers(project.organisation).data ?? [];
  const feature = useFeature(change.feature).data;
  return (
    <Box style={{ borderBottom: "1px solid var(--burgee-line)" }}>
      <UnstyledButton w="100%" py="sm" onClick={toggle} aria-expanded={opened}>
        <Group wrap="nowrap" gap="sm">
          <Box style={{ flex: 1, minWidth: 0 }}>
            <Group gap={6}>
              <Text size="sm" fw={600} style={{ overflowWrap: "anywhere" }}>
                {feature?.name ?? `Feature ${change.feature}`}
              </Text>
              {showsPlace && <Badge size="xs">{environment.name}</Badge>}
            </Group>
            <Text size="sm" c="dimmed">
              <Time at={change.live_from} />, on {exactly(change.live_from)}, by{" "}
              {authorOf(change.created_by, members)}
            </Text>
          </Box>
          <IconChevronRight
            size={16}
            style={{ transform: opened ? "rotate(90deg)" : undefined, flexShrink: 0 }}
            aria-hidden
          />
        </Group>
      </UnstyledButton>
      <Collapse expanded={opened}>
        {opened && (
          <Stack gap="sm" pb="md">
            <What change={change} environment={environment} />
            <Acts change={change} environment={environment} />
          </Stack>
        )}
      </Collapse>
    </Box>
  );
}

export function ScheduledChanges({ environments }: { environments: Environment[] }) {
  const query = useAllScheduled(environments);
  return (
    <Loaded query={query} rows={3}>
      {(items) =>
        items.length === 0 ? (
          <Empty icon={<IconClock />} title="Nothing is scheduled">
            Edit a feature and choose “At a time” to have it change later.
          </Empty>
        ) : (
          <Paper px="md">
            {items.map(
              ({ item, environment }) =>
                environment && (
                  <ScheduledChange
                    key={item.id}
                    change={item}
                    environment={environment}
                    showsPlace={environments.length > 1}
                  />
                ),
            )}
          </Paper>
        )
      }
    </Loaded>
  );
}
