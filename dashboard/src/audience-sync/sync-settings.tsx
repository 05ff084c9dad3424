/** The settings of a sync that is there. */
import { Button, Group, Select, SimpleGrid, Stack } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { DeleteButton } from "~/parts/confirm";
import { Form } from "~/parts/form";
import { Section } from "~/parts/section";
import { AlertFields } from "./alert-fields";
import { GuardFields } from "./guard-fields";
import { contentOf, type SyncObject, useDeleteObject, useObjects, usePutObject } from "./objects";
import { problemsOf } from "./problems";
import { ScheduleFields } from "./schedule-fields";
import { modesFor, SYNC_FIELDS, type SyncContent, tidySync } from "./sync-content";
import { TargetFields, toOf } from "./target-fields";
import { General } from "./variant-form";

interface SyncSettingsProps {
  organisation: number;
  object: SyncObject;
}

export function SyncSettings({ organisation, object }: SyncSettingsProps) {
  const navigate = useNavigate();
  const models = useObjects(organisation, "models").data?.results ?? [];
  const destinations = useObjects(organisation, "destinations").data?.results ?? [];
  const [sync, setSync] = useState(() => contentOf<SyncContent>(object));
  const save = usePutObject(organisation, "syncs", { done: "Saved." });
  const remove = useDeleteObject(organisation, "syncs", () =>
    navigate({
      to: "/organisation/$organisation/audience-sync",
      params: { organisation: String(organisation) },
    }),
  );
  const destination = destinations.find((one) => one.name === sync.to);
  const problems = problemsOf(save.error, SYNC_FIELDS);
  const part = {
    sync,
    onChange: (change: Partial<SyncContent>) => setSync((now) => ({ ...now, ...change })),
    problems: problems.fields,
  };
  const choose = (name: string | null) => {
    const to = toOf(destinations.find((one) => one.name === name));
    const mode = modesFor(to).includes(sync.mode) ? sync.mode : "mirror";
    part.onChange({ to: name ?? "", mode });
  };
  return (
    <Stack maw={860}>
      <Form onSubmit={() => save.mutate({ name: object.name, content: tidySync(sync, toOf(destination)) })}>
        <Section title="What goes where">
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <Select
              label="Model"
              required
              allowDeselect={false}
              data={models.map((one) => one.name)}
              value={sync.model}
              onChange={(model) => part.onChange({ model: model ?? "" })}
              error={problems.fields.model}
            />
            <Select
              label="Destination"
              required
              allowDeselect={false}
              data={destinations.map((one) => one.name)}
              value={sync.to}
              onChange={choose}
              error={problems.fields.to}
            />
          </SimpleGrid>
          <TargetFields
            destination={destination}
            model={models.find((one) => one.name === sync.model)}
            {...part}
          />
        </Section>
        <Section title="Guard rails" description="What holds a run until somebody has looked at it.">
          <GuardFields {...part} />
        </Section>
        <Section title="Schedule">
          <ScheduleFields organisation={organisation} name={object.name} {...part} />
        </Section>
        <Section title="Alerts">
          <AlertFields organisation={organisation} {...part} />
        </Section>
        <General problems={problems.general} />
        <Group>
          <Button type="submit" loading={save.isPending}>
            Save the sync
          </Button>
        </Group>
      </Form>
      <Section title="Delete the sync" danger>
        <Group justify="space-between">
          <span>With its history and what it remembers. Nothing changes at the destination.</span>
          <DeleteButton
            title={`Delete ${object.name}`}
            name={object.name}
            onConfirm={() => remove.mutateAsync(object.name)}
          >
            What it remembers is gone for good: another sync that is made in its place does not know whom this
            one has added.
          </DeleteButton>
        </Group>
      </Section>
    </Stack>
  );
}
