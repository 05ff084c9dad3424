/** Makes an experiment with a feature that has variants. */
import { Button, Group, Select, Textarea } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http } from "~/api/client";
import { Form } from "~/parts/form";
import { Section } from "~/parts/section";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";
import { controlShare, controlValue, evenly, type Rollout, toBody } from "./rollout";
import { RolloutEditor } from "./rollout-editor";
import { EXPERIMENTS } from "./status";

export function CreateExperiment({ onMade }: { onMade: (experiment: number) => unknown }) {
  const { project, environment } = usePlace();
  const features = api.useQuery("get", "/api/v1/projects/{project_id}/features/", {
    params: { path: { project_id: project.id }, query: ALL },
  });
  const varied = (features.data?.results ?? []).filter((one) => one.type === "MULTIVARIATE");
  const [id, setId] = useState<string | null>(null);
  const [name, setName] = useState("");
  const [hypothesis, setHypothesis] = useState("");
  const [rollout, setRollout] = useState<Rollout>({ traffic: 100, shares: {} });
  const feature = varied.find((one) => String(one.id) === id);
  const create = useAct(
    (of: NonNullable<typeof feature>) =>
      http.POST(EXPERIMENTS, {
        params: { path: { environment_key: environment.api_key } },
        body: {
          feature: of.id,
          name: name.trim(),
          hypothesis: hypothesis.trim(),
          experiment_rollout: toBody(controlValue({ initial_value: of.initial_value ?? null }), rollout),
        },
      }),
    {
      quiet: true,
      changes: [EXPERIMENTS],
      done: `${name} is there. It begins when you start it.`,
      after: (made) => onMade(made.id),
    },
  );
  return (
    <Form
      onSubmit={() => {
        if (feature) create.mutate(feature);
      }}
    >
      <Refusal error={create.error} fields={["feature", "name", "hypothesis"]} />
      <Section title="About">
        <TextField
          label="Name"
          required
          value={name}
          onChange={setName}
          error={about(create.error, "name")}
          maw={480}
        />
        <Textarea
          label="Hypothesis"
          description="What you expect, and why"
          placeholder="A green button is noticed more, so more people buy."
          required
          autosize
          minRows={2}
          value={hypothesis}
          onChange={(event) => setHypothesis(event.currentTarget.value)}
          error={about(create.error, "hypothesis")}
        />
        <Select
          label="Feature"
          description="One with variants; a feature takes part in one experiment at a time"
          placeholder={features.data && varied.length === 0 ? "No feature has variants" : "Which one?"}
          searchable
          data={varied.map((one) => ({ value: String(one.id), label: one.name }))}
          value={id}
          onChange={(next) => {
            setId(next);
            const chosen = varied.find((one) => String(one.id) === next);
            if (chosen) setRollout(evenly(chosen.multivariate_options));
          }}
          error={about(create.error, "feature")}
          maw={480}
        />
      </Section>
      {feature && (
        <Section title="Who gets what" description="Nothing changes before the experiment is started.">
          <RolloutEditor options={feature.multivariate_options} rollout={rollout} onChange={setRollout} />
        </Section>
      )}
      <Group>
        <Button
          type="submit"
          loading={create.isPending}
          disabled={!feature || !name.trim() || !hypothesis.trim() || controlShare(rollout) < 0}
        >
          Create experiment
        </Button>
      </Group>
    </Form>
  );
}
