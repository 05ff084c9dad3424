/** The guided path to a sync: where rows come from, which, where they go, what happens, and what that would do. */
import { Alert, Button, Group, Stack, Stepper, Text, Title } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { Section } from "~/parts/section";
import { Failed, Loading } from "~/parts/states";
import { ChooseObject } from "./choose-object";
import { useToRun } from "./decision";
import { GuardFields } from "./guard-fields";
import { contentOf, useObjects, usePutObject } from "./objects";
import { PlanView } from "./plan-view";
import { problemsOf } from "./problems";
import { RunProgress } from "./run-progress";
import { isUnderWay, usePlan, useRun, useTrigger } from "./runs";
import { ScheduleFields } from "./schedule-fields";
import { type ModelContent, modesFor, SYNC_FIELDS, type SyncContent, tidySync } from "./sync-content";
import { TargetFields, toOf } from "./target-fields";
import { General, NameInput } from "./variant-form";

const STEPS = ["Source", "Model", "Destination", "What happens", "Preview"];

interface Draft {
  name: string;
  source?: string;
  sync: SyncContent;
  /** Whether it is kept on the server already, switched off. */
  isSaved: boolean;
}

interface StepProps {
  organisation: number;
  draft: Draft;
  onChange: (change: Partial<Draft>) => void;
  onBack: () => void;
}

function useParts(organisation: number, { sync }: Draft) {
  const models = useObjects(organisation, "models").data?.results ?? [];
  const destinations = useObjects(organisation, "destinations").data?.results ?? [];
  return {
    model: models.find((one) => one.name === sync.model),
    destination: destinations.find((one) => one.name === sync.to),
  };
}

function WhatHappens({
  organisation,
  draft,
  onChange,
  onBack,
  onSaved,
}: StepProps & { onSaved: () => void }) {
  const parts = useParts(organisation, draft);
  const taken = useObjects(organisation, "syncs").data?.results.map((one) => one.name) ?? [];
  const save = usePutObject(organisation, "syncs", { after: onSaved });
  const problems = problemsOf(save.error, SYNC_FIELDS);
  const to = toOf(parts.destination);
  const { sync } = draft;
  const part = {
    sync,
    onChange: (change: Partial<SyncContent>) => onChange({ sync: { ...sync, ...change } }),
    problems: problems.fields,
  };
  const isIncomplete = !draft.name || (!draft.isSaved && taken.includes(draft.name));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        // Switched off until the end of the path: nothing runs that nobody has looked at.
        const content = { ...tidySync({ ...sync, schedule: null }, to), enabled: false };
        save.mutate({ name: draft.name, content });
      }}
    >
      <Stack maw={860}>
        <Section title="What happens">
          <NameInput
            value={draft.name}
            onChange={(name) => onChange({ name })}
            isNew={!draft.isSaved}
            taken={taken}
            error={problems.fields.name}
          />
          <TargetFields {...parts} {...part} />
        </Section>
        <Section title="Guard rails" description="What holds a run until somebody has looked at it.">
          <GuardFields {...part} />
        </Section>
        <General problems={problems.general} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onBack}>
            Back
          </Button>
          <Button type="submit" loading={save.isPending} disabled={isIncomplete}>
            Save and preview
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Preview({
  organisation,
  id,
  again,
}: {
  organisation: number;
  id: number | undefined;
  again: () => void;
}) {
  const query = useRun(organisation, id);
  const run = query.data;
  if (query.error) return <Failed error={query.error} retry={query.refetch} />;
  if (!run) return <Loading rows={2} />;
  return (
    <Section
      title="What a run would do"
      description="Rows were read and compared with the destination. Nothing is sent."
      actions={
        <Button variant="default" onClick={again} loading={isUnderWay(run)}>
          Preview again
        </Button>
      }
    >
      <RunProgress run={run} />
      {run.state === "planned" && <PlanView run={run} />}
    </Section>
  );
}

function Finish({
  organisation,
  draft,
  onChange,
  onBack,
  plan,
}: StepProps & { plan: ReturnType<typeof usePlan> }) {
  const parts = useParts(organisation, draft);
  const toRun = useToRun(organisation);
  const save = usePutObject(organisation, "syncs");
  const trigger = useTrigger(organisation, toRun);
  const finish = useAct(
    async () => {
      const content = tidySync({ ...draft.sync, enabled: true }, toOf(parts.destination));
      await save.mutateAsync({ name: draft.name, content });
      await trigger.mutateAsync(draft.name);
    },
    { quiet: true },
  );
  const problems = problemsOf(save.error, SYNC_FIELDS);
  return (
    <Stack maw={1080}>
      <Preview organisation={organisation} id={plan.data?.id} again={() => plan.mutate(draft.name)} />
      <Section title="Schedule" description="When it runs by itself from now on.">
        <ScheduleFields
          organisation={organisation}
          name={draft.name}
          sync={draft.sync}
          onChange={(change) => onChange({ sync: { ...draft.sync, ...change } })}
          problems={problems.fields}
        />
      </Section>
      <General problems={problems.general} />
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          The sync is saved and switched off until now.
        </Text>
        <Group gap="xs">
          <Button variant="default" onClick={onBack}>
            Back
          </Button>
          <Button loading={finish.isPending} onClick={() => finish.mutate()}>
            Save and run
          </Button>
        </Group>
      </Group>
    </Stack>
  );
}

export function Wizard({ organisation }: { organisation: number }) {
  const [step, setStep] = useState(0);
  const [draft, setDraft] = useState<Draft>({
    name: "",
    sync: { model: "", to: "", mode: "mirror" },
    isSaved: false,
  });
  const plan = usePlan(organisation, () => undefined);
  const destinations = useObjects(organisation, "destinations").data?.results ?? [];
  const change = (part: Partial<Draft>) => setDraft((now) => ({ ...now, ...part }));
  const back = () => setStep((now) => now - 1);
  const choose = (part: Partial<SyncContent>) => {
    change({ sync: { ...draft.sync, ...part } });
    setStep((now) => now + 1);
  };
  const chooseDestination = (to: string) => {
    const kind = toOf(destinations.find((one) => one.name === to));
    const isPossible = kind === undefined || modesFor(kind).includes(draft.sync.mode);
    choose({ to, mode: isPossible ? draft.sync.mode : "mirror" });
  };
  const common = { organisation, draft, onChange: change, onBack: back };
  return (
    <Stack gap="xl">
      <Title order={2}>New sync</Title>
      <Stepper
        active={step}
        onStepClick={setStep}
        allowNextStepsSelect={false}
        size="sm"
        iconSize={30}
        visibleFrom="md"
      >
        {STEPS.map((label) => (
          <Stepper.Step key={label} label={label} />
        ))}
      </Stepper>
      <Text hiddenFrom="md" size="sm" c="dimmed">
        Step {step + 1} of {STEPS.length}: {STEPS[step]}
      </Text>
      {step === 0 && (
        <ChooseObject
          organisation={organisation}
          kind="sources"
          title="Where do the rows come from?"
          about="A source is only ever read."
          chosen={draft.source}
          onChosen={(source) => {
            change({ source });
            setStep(1);
          }}
        />
      )}
      {step === 1 && (
        <ChooseObject
          organisation={organisation}
          kind="models"
          title="Which rows?"
          about="A statement, a table or a file, and the column that names each row."
          chosen={draft.sync.model || undefined}
          only={(object) => contentOf<ModelContent>(object).source === draft.source}
          source={draft.source}
          onChosen={(model) => choose({ model })}
          onBack={back}
        />
      )}
      {step === 2 && (
        <ChooseObject
          organisation={organisation}
          kind="destinations"
          title="Where do they go?"
          about="What is saved as a secret is never shown again."
          chosen={draft.sync.to || undefined}
          onChosen={chooseDestination}
          onBack={back}
        />
      )}
      {step === 3 && (
        <WhatHappens
          {...common}
          onSaved={() => {
            change({ isSaved: true });
            plan.mutate(draft.name);
            setStep(4);
          }}
        />
      )}
      {step === 4 && (
        <>
          {plan.error && (
            <Alert color="red" title="No plan could be made">
              {plan.error.message}
            </Alert>
          )}
          <Finish {...common} plan={plan} />
        </>
      )}
    </Stack>
  );
}
