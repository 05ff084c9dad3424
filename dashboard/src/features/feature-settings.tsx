/** What belongs to a feature as a whole: words, tags, owners, and its end. */
import { Button, Group, MultiSelect, Stack, Switch, Text, Textarea } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { useProjectMay } from "~/lib/permissions";
import { toMetadata, valuesOf } from "~/metadata/fields";
import { Metadata } from "~/metadata/values";
import { useGroupNames, useMembers } from "~/organisation/members";
import { DeleteButton } from "~/parts/confirm";
import { Form } from "~/parts/form";
import { nameOf } from "~/parts/person";
import { Section } from "~/parts/section";
import { useTags } from "~/projects/tags";
import { about, Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";
import { FLAG_PATHS } from "./use-toggle";

type Feature = Schema<"FeatureView">;

function About({ feature, disabled }: { feature: Feature; disabled: boolean }) {
  const tags = useTags(feature.project).data?.results ?? [];
  const [description, setDescription] = useState(feature.description ?? "");
  const [chosen, setChosen] = useState(feature.tags.map(String));
  const [isServerOnly, setServerOnly] = useState(feature.is_server_key_only);
  const [said, setSaid] = useState(() => valuesOf(feature.metadata));
  const save = useAct(
    () =>
      http.PATCH("/api/v1/projects/{project_id}/features/{feature_id}/", {
        params: { path: { project_id: feature.project, feature_id: feature.id } },
        body: {
          description,
          tags: chosen.map(Number),
          is_server_key_only: isServerOnly,
          metadata: toMetadata(said),
        },
      }),
    { quiet: true, changes: FLAG_PATHS, done: "Saved." },
  );
  return (
    <Section title="About" description="The same in every environment.">
      <Form onSubmit={() => save.mutate()}>
        <Refusal error={save.error} fields={["description"]} />
        <Textarea
          label="Description"
          autosize
          minRows={2}
          disabled={disabled}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
          error={about(save.error, "description")}
        />
        <MultiSelect
          label="Tags"
          searchable
          disabled={disabled}
          data={tags.map((tag) => ({ value: String(tag.id), label: tag.label }))}
          value={chosen}
          onChange={setChosen}
        />
        <Switch
          label="Only for server-side keys"
          description="Programs with a client-side key never see it."
          disabled={disabled}
          checked={isServerOnly}
          onChange={(event) => setServerOnly(event.currentTarget.checked)}
        />
        <Metadata
          project={feature.project}
          entity="feature"
          values={said}
          onChange={setSaid}
          disabled={disabled}
        />
        <Group>
          <Button type="submit" loading={save.isPending} disabled={disabled}>
            Save
          </Button>
        </Group>
      </Form>
    </Section>
  );
}

function Owners({ feature, disabled }: { feature: Feature; disabled: boolean }) {
  const { project } = usePlace();
  const members = useMembers(project.organisation).data ?? [];
  const groups = useGroupNames(project.organisation).data ?? [];
  const params = { path: { project_id: feature.project, feature_id: feature.id } };
  const around = { changes: FLAG_PATHS };
  const setUsers = useAct(async (wanted: number[]) => {
    const present = feature.owners.map((owner) => owner.id);
    const added = wanted.filter((id) => !present.includes(id));
    const gone = present.filter((id) => !wanted.includes(id));
    if (added.length > 0)
      await http.POST("/api/v1/projects/{project_id}/features/{feature_id}/add-owners/", {
        params,
        body: { user_ids: added },
      });
    if (gone.length > 0)
      await http.POST("/api/v1/projects/{project_id}/features/{feature_id}/remove-owners/", {
        params,
        body: { user_ids: gone },
      });
  }, around);
  const setGroups = useAct(async (wanted: number[]) => {
    const present = feature.group_owners.map((owner) => owner.id);
    const added = wanted.filter((id) => !present.includes(id));
    const gone = present.filter((id) => !wanted.includes(id));
    if (added.length > 0)
      await http.POST("/api/v1/projects/{project_id}/features/{feature_id}/add-group-owners/", {
        params,
        body: { group_ids: added },
      });
    if (gone.length > 0)
      await http.POST("/api/v1/projects/{project_id}/features/{feature_id}/remove-group-owners/", {
        params,
        body: { group_ids: gone },
      });
  }, around);
  return (
    <Section title="Owners" description="Whom to ask about it.">
      <MultiSelect
        label="People"
        searchable
        disabled={disabled || setUsers.isPending}
        data={members.map((member) => ({ value: String(member.id), label: nameOf(member) }))}
        value={feature.owners.map((owner) => String(owner.id))}
        onChange={(values) => setUsers.mutate(values.map(Number))}
      />
      <MultiSelect
        label="Groups"
        searchable
        disabled={disabled || setGroups.isPending}
        data={groups.map((group) => ({ value: String(group.id), label: group.name }))}
        value={feature.group_owners.map((owner) => String(owner.id))}
        onChange={(values) => setGroups.mutate(values.map(Number))}
        nothingFoundMessage="There are no groups"
      />
    </Section>
  );
}

function Ending({ feature }: { feature: Feature }) {
  const { project, environment } = usePlace();
  const navigate = useNavigate();
  const may = useProjectMay(feature.project);
  const params = { path: { project_id: feature.project, feature_id: feature.id } };
  const archive = useAct(
    () =>
      http.PATCH("/api/v1/projects/{project_id}/features/{feature_id}/", {
        params,
        body: { is_archived: !feature.is_archived },
      }),
    { changes: FLAG_PATHS, done: feature.is_archived ? "It is back." : "It is archived." },
  );
  const remove = useAct(
    () => http.DELETE("/api/v1/projects/{project_id}/features/{feature_id}/", { params }),
    {
      quiet: true,
      changes: ["/api/v1/projects/{project_id}/features/"],
      done: `${feature.name} is gone.`,
      after: () =>
        navigate({
          to: "/project/$project/environment/$environment/features",
          params: { project: String(project.id), environment: environment.api_key },
        }),
    },
  );
  return (
    <Section title="Archive or delete" danger>
      <Group justify="space-between">
        <Text size="sm">
          {feature.is_archived
            ? "It is archived: out of the list, and still served."
            : "Archived features leave the list, and are still served."}
        </Text>
        <Button
          variant="default"
          loading={archive.isPending}
          onClick={() => archive.mutate()}
          disabled={!may("CREATE_FEATURE")}
        >
          {feature.is_archived ? "Bring back" : "Archive"}
        </Button>
      </Group>
      <Group justify="space-between">
        <Text size="sm">Deleted features are gone from every environment, for good.</Text>
        <DeleteButton
          title={`Delete ${feature.name}`}
          name={feature.name}
          disabled={!may("DELETE_FEATURE", feature.tags)}
          onConfirm={remove.mutateAsync}
        >
          It goes from every environment, with its values and overrides. Programs that ask for it get their
          own defaults.
        </DeleteButton>
      </Group>
    </Section>
  );
}

export function FeatureSettings({ feature }: { feature: Feature }) {
  const disabled = !useProjectMay(feature.project)("CREATE_FEATURE");
  return (
    <Stack>
      <About feature={feature} disabled={disabled} />
      <Owners feature={feature} disabled={disabled} />
      <Ending feature={feature} />
    </Stack>
  );
}
