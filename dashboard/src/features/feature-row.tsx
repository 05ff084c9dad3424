/** A feature in the list: what it is and what it does here, at a glance. */
import { Avatar, Badge, Box, Checkbox, Group, Switch, Table, Text, Tooltip } from "@mantine/core";
import { IconFilter, IconLock, IconUser } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { Schema } from "~/api/client";
import { counted } from "~/lib/counted";
import { asValue } from "~/lib/value";
import { nameOf } from "~/parts/person";
import { TagBadge } from "~/parts/tag-badge";
import { Time } from "~/parts/time";
import { Value } from "~/parts/value";
import type { Tag } from "~/projects/tags";
import { useAddress } from "~/shell/place";
import { Evaluations } from "./evaluations";

type Feature = Schema<"FeatureView">;

export function FeatureLink({ feature }: { feature: Pick<Feature, "id" | "name"> }) {
  const { project, environment } = useAddress();
  return (
    <Link
      className="row-link"
      to="/project/$project/environment/$environment/features/$feature"
      params={{ project: String(project), environment: environment ?? "", feature: String(feature.id) }}
      style={{ overflowWrap: "anywhere" }}
    >
      {feature.name}
    </Link>
  );
}

export function Overrides({ feature }: { feature: Feature }) {
  const segments = feature.num_segment_overrides;
  const identities = feature.num_identity_overrides ?? 0;
  if (segments === 0 && identities === 0) return null;
  return (
    <Group gap={6} wrap="nowrap">
      {segments > 0 && (
        <Tooltip label={`${segments} segment overrides`}>
          <Badge
            color="grape"
            leftSection={<IconFilter size={12} aria-hidden />}
            aria-label={`${segments} segment overrides`}
          >
            {segments}
          </Badge>
        </Tooltip>
      )}
      {identities > 0 && (
        <Tooltip label={`${identities} identity overrides`}>
          <Badge
            color="cyan"
            leftSection={<IconUser size={12} aria-hidden />}
            aria-label={`${identities} identity overrides`}
          >
            {identities}
          </Badge>
        </Tooltip>
      )}
    </Group>
  );
}

interface FeatureRowProps {
  feature: Feature;
  tags: Tag[];
  isSelected: boolean;
  onSelect: (selected: boolean) => void;
  mayToggle: boolean;
  onToggle: (enabled: boolean) => void;
}

function What({ feature, tags }: { feature: Feature; tags: Tag[] }) {
  const own = tags.filter((tag) => feature.tags.includes(tag.id));
  const value = asValue(feature.environment_feature_state?.feature_state_value);
  return (
    <Box>
      <Group gap={6}>
        <FeatureLink feature={feature} />
        {feature.is_server_key_only && (
          <Tooltip label="Only for server-side keys">
            <IconLock size={14} aria-label="Only for server-side keys" />
          </Tooltip>
        )}
        {own.map((tag) => (
          <TagBadge key={tag.id} tag={tag} />
        ))}
      </Group>
      {feature.description && (
        <Text size="sm" c="dimmed" lineClamp={1}>
          {feature.description}
        </Text>
      )}
      {value !== null && (
        <Box hiddenFrom="sm" mt={2}>
          <Value value={value} />
        </Box>
      )}
    </Box>
  );
}

export function FeatureRow({ feature, tags, isSelected, onSelect, mayToggle, onToggle }: FeatureRowProps) {
  const state = feature.environment_feature_state;
  const variations = feature.multivariate_options.length;
  return (
    <Table.Tr bg={isSelected ? "var(--mantine-primary-color-light)" : undefined}>
      <Table.Td w={36} visibleFrom="sm">
        <Checkbox
          aria-label={`Select ${feature.name}`}
          checked={isSelected}
          onChange={(event) => onSelect(event.currentTarget.checked)}
        />
      </Table.Td>
      <Table.Td>
        <What feature={feature} tags={tags} />
      </Table.Td>
      <Table.Td maw={260} visibleFrom="sm">
        <Group gap={6} wrap="nowrap">
          {state && <Value value={asValue(state.feature_state_value)} />}
          {variations > 0 && <Badge color="orange">{counted(variations, "variation")}</Badge>}
        </Group>
      </Table.Td>
      <Table.Td visibleFrom="md">
        <Overrides feature={feature} />
      </Table.Td>
      <Table.Td visibleFrom="xl">
        <Evaluations feature={feature.id} />
      </Table.Td>
      <Table.Td visibleFrom="lg">
        <Avatar.Group spacing="xs">
          {feature.owners.slice(0, 3).map((owner) => (
            <Tooltip key={owner.id} label={nameOf(owner)}>
              <Avatar size={26} radius="xl" name={nameOf(owner)} alt={nameOf(owner)} />
            </Tooltip>
          ))}
        </Avatar.Group>
      </Table.Td>
      <Table.Td visibleFrom="lg">
        <Time
          at={feature.last_modified_in_current_environment ?? feature.created_date}
          size="sm"
          c="dimmed"
        />
      </Table.Td>
      <Table.Td w={70}>
        <Switch
          aria-label={`${feature.name} is ${state?.enabled ? "on" : "off"}`}
          checked={state?.enabled ?? false}
          disabled={!state || !mayToggle}
          onChange={(event) => onToggle(event.currentTarget.checked)}
        />
      </Table.Td>
    </Table.Tr>
  );
}
