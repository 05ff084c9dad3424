/** Draws up a release pipeline, or changes a draft. */
import { Button, Group, Textarea } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http } from "~/api/client";
import { Form } from "~/parts/form";
import { Section } from "~/parts/section";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";
import { newStage, type Pipeline, problemOf, type Stage, stagesOf, toBody } from "./draft";
import { StageEditor } from "./stage-editor";

export const PIPELINES = "/api/v1/projects/{project_id}/release-pipelines/";

export function useSegmentNames(project: number) {
  return api.useQuery("get", "/api/v1/projects/{project_id}/segments/", {
    params: { path: { project_id: project }, query: ALL },
  });
}

interface PipelineFormProps {
  pipeline?: Pipeline;
  onSaved?: (pipeline: Pipeline) => unknown;
}

function moved(stages: Stage[], index: number, by: -1 | 1): Stage[] {
  const next = [...stages];
  const [stage] = next.splice(index, 1);
  if (stage) next.splice(index + by, 0, stage);
  return next;
}

export function PipelineForm({ pipeline, onSaved }: PipelineFormProps) {
  const { project, environment } = usePlace();
  const segments = useSegmentNames(project.id).data?.results ?? [];
  const [name, setName] = useState(pipeline?.name ?? "");
  const [description, setDescription] = useState(pipeline?.description ?? "");
  const [stages, setStages] = useState(() => (pipeline ? stagesOf(pipeline) : [newStage(environment.id, 1)]));
  const [hasTried, setTried] = useState(false);
  const save = useAct(
    async () => {
      const body = { name: name.trim(), description: description || null, stages: toBody(stages) };
      const path = { project_id: project.id };
      const { data } = pipeline
        ? await http.PUT("/api/v1/projects/{project_id}/release-pipelines/{id}/", {
            params: { path: { ...path, id: pipeline.id } },
            body,
          })
        : await http.POST(PIPELINES, { params: { path }, body });
      return data as Pipeline;
    },
    { quiet: true, changes: [PIPELINES], done: `${name} is saved.`, after: onSaved },
  );
  return (
    <Form
      onSubmit={() => {
        setTried(true);
        if (!stages.some(problemOf)) save.mutate();
      }}
    >
      <Refusal error={save.error} fields={["name", "description"]} />
      <Section title="About">
        <TextField
          label="Name"
          required
          value={name}
          onChange={setName}
          error={about(save.error, "name")}
          maw={480}
        />
        <Textarea
          label="Description"
          autosize
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
          error={about(save.error, "description")}
        />
      </Section>
      {stages.map((stage, index) => (
        <StageEditor
          key={stage.key}
          stage={stage}
          number={index + 1}
          of={stages.length}
          onChange={(changed) => setStages(stages.map((one) => (one.key === changed.key ? changed : one)))}
          onRemove={() => setStages(stages.filter((one) => one.key !== stage.key))}
          onMove={(by) => setStages(moved(stages, index, by))}
          segments={segments}
          showProblems={hasTried}
          disabled={false}
        />
      ))}
      <Group>
        <Button type="submit" loading={save.isPending} disabled={!name.trim()}>
          {pipeline ? "Save the draft" : "Create draft"}
        </Button>
        <Button
          variant="default"
          leftSection={<IconPlus size={16} />}
          onClick={() => setStages([...stages, newStage(environment.id, stages.length + 1)])}
        >
          Add a stage
        </Button>
      </Group>
    </Form>
  );
}
