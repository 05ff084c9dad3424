/** The versions of a feature in an environment: what each changed, and a way back. */
import { Badge, Box, Button, Collapse, Group, Paper, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconHistory, IconRestore } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
import { useEnvironmentMay } from "~/lib/permissions";
import { fromTyped } from "~/lib/value";
import { useMembers } from "~/organisation/members";
import { Confirm } from "~/parts/confirm";
import { Pager } from "~/parts/pager";
import { nameOf } from "~/parts/person";
import { Empty, Loaded } from "~/parts/states";
import { Time } from "~/parts/time";
import { usePlace } from "~/shell/place";
import { ChangeList } from "./change-list";
import type { Change, State } from "./draft";
import { useNames } from "./flag";
import { FLAG_PATHS } from "./use-toggle";

type Version = Schema<"VersionView">;
type Feature = Schema<"FeatureView">;

const SIZE = 10;

function stateOf(view: Schema<"VersionStateView"> | null): State | null {
  if (!view) return null;
  const weights = view.multivariate_feature_state_values.map(
    (weight) => [weight.multivariate_feature_option, weight.percentage_allocation] as const,
  );
  return {
    enabled: view.enabled,
    value: fromTyped(view.feature_state_value),
    weights: Object.fromEntries(weights),
  };
}

function toChange(difference: Schema<"DifferenceView">): Change {
  const [before, after] = [difference.before, difference.after];
  const [from, to] = [before?.feature_segment?.priority, after?.feature_segment?.priority];
  return {
    segment: difference.segment?.id ?? null,
    before: stateOf(before),
    after: stateOf(after),
    priority:
      from !== undefined && to !== undefined && from !== to ? { before: from + 1, after: to + 1 } : undefined,
  };
}

function Comparison({ feature, version }: { feature: Feature; version: Version }) {
  const { project, environment } = usePlace();
  const names = useNames(project.id, feature.multivariate_options);
  const query = api.useQuery(
    "get",
    "/api/v1/environments/{environment_key}/features/{feature_id}/versions/{version_uuid}/compare/",
    {
      params: {
        path: { environment_key: environment.id, feature_id: feature.id, version_uuid: version.uuid },
      },
    },
  );
  return (
    <Loaded query={query} rows={1}>
      {({ changes }) =>
        changes.length === 0 ? (
          <Text size="sm" c="dimmed">
            Nothing differs from the version before.
          </Text>
        ) : (
          <ChangeList
            changes={changes.map(toChange)}
            names={{
              ...names,
              segments: new Map([
                ...names.segments,
                ...changes.flatMap((c) => (c.segment ? [[c.segment.id, c.segment.name] as const] : [])),
              ]),
            }}
          />
        )
      }
    </Loaded>
  );
}

interface VersionRowProps {
  feature: Feature;
  version: Version;
  author: string;
  /** Whether this is what is served now. */
  isCurrent: boolean;
}

function VersionRow({ feature, version, author, isCurrent }: VersionRowProps) {
  const { environment } = usePlace();
  const may = useEnvironmentMay(environment.api_key);
  const [opened, { toggle }] = useDisclosure();
  const [asking, { open, close }] = useDisclosure();
  const restore = useAct(
    () =>
      http.POST(
        "/api/v1/environments/{environment_key}/features/{feature_id}/versions/{version_uuid}/restore/",
        {
          params: {
            path: { environment_key: environment.id, feature_id: feature.id, version_uuid: version.uuid },
          },
          body: { publish_immediately: true },
        },
      ),
    { quiet: true, changes: FLAG_PATHS, done: "It is as it was." },
  );
  const needsApproval = environment.minimum_change_request_approvals !== null;
  return (
    <Paper p="sm">
      <Group justify="space-between">
        <Box>
          <Group gap="xs">
            <Text fw={600} size="sm">
              <Time at={version.live_from ?? version.created_at} />
            </Text>
            {isCurrent && <Badge color="teal">live</Badge>}
            {version.published && !version.is_live && <Badge color="blue">planned</Badge>}
            {!version.published && <Badge color="yellow">draft</Badge>}
          </Group>
          <Text size="sm" c="dimmed">
            {author}
            {version.description && `: ${version.description}`}
          </Text>
        </Box>
        <Group gap="xs">
          <Button variant="default" size="xs" onClick={toggle} aria-expanded={opened}>
            What changed
          </Button>
          {version.is_live && !isCurrent && !needsApproval && may("UPDATE_FEATURE_STATE", feature.tags) && (
            <Button variant="light" size="xs" leftSection={<IconRestore size={14} />} onClick={open}>
              Restore
            </Button>
          )}
        </Group>
      </Group>
      <Collapse expanded={opened}>
        <Box pt="sm">{opened && <Comparison feature={feature} version={version} />}</Box>
      </Collapse>
      <Confirm
        opened={asking}
        onClose={close}
        title="Restore this version"
        action="Restore"
        onConfirm={restore.mutateAsync}
      >
        A new version with the same states goes live at once. The present one stays in the history.
      </Confirm>
    </Paper>
  );
}

/** What is served: of those whose time has come, the one whose time came last. */
function newest(versions: Version[]): Version | undefined {
  const begun = versions.filter((version) => version.is_live);
  return begun.sort((a, b) => (b.live_from ?? b.created_at).localeCompare(a.live_from ?? a.created_at))[0];
}

export function Versions({ feature }: { feature: Feature }) {
  const { project, environment } = usePlace();
  const [page, setPage] = useState(1);
  const members = useMembers(project.organisation).data ?? [];
  const query = api.useQuery(
    "get",
    "/api/v1/environments/{environment_key}/features/{feature_id}/versions/",
    {
      params: {
        path: { environment_key: environment.id, feature_id: feature.id },
        query: { page, page_size: SIZE },
      },
    },
  );
  const author = (version: Version) => {
    const member = members.find((one) => one.id === (version.published_by ?? version.created_by));
    return member ? nameOf(member) : "Burgee";
  };
  return (
    <Loaded query={query} rows={4}>
      {({ results, count }) =>
        count === 0 ? (
          <Empty icon={<IconHistory />} title="No versions yet" />
        ) : (
          <Stack gap="sm">
            {results.map((version) => (
              <VersionRow
                key={version.uuid}
                feature={feature}
                version={version}
                author={author(version)}
                isCurrent={page === 1 && version === newest(results)}
              />
            ))}
            <Pager page={page} size={SIZE} count={count} onChange={setPage} />
          </Stack>
        )
      }
    </Loaded>
  );
}
