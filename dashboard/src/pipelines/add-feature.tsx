/** Puts a feature on its way through a pipeline. */
import { Button, Group, Select } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { FLAG_PATHS } from "~/features/use-toggle";
import { Section } from "~/parts/section";
import { Refusal } from "~/session/refusal";
import type { Pipeline } from "./draft";
import { PIPELINES } from "./pipeline-form";

interface AddFeatureProps {
  pipeline: Pipeline;
  features: { id: number; name: string }[];
}

export function AddFeature({ pipeline, features }: AddFeatureProps) {
  const [feature, setFeature] = useState<string | null>(null);
  const add = useAct(
    (feature_id: number) =>
      http.POST("/api/v1/projects/{project_id}/release-pipelines/{id}/add-feature/", {
        params: { path: { project_id: pipeline.project, id: pipeline.id } },
        body: { feature_id },
      }),
    {
      quiet: true,
      changes: [PIPELINES, ...FLAG_PATHS],
      done: "It is on its way.",
      after: () => setFeature(null),
    },
  );
  return (
    <Section title="Put a feature on its way" description="It enters the first stage, and goes on by itself.">
      <Refusal error={add.error} />
      <Group align="flex-end" gap="xs">
        <Select
          label="Feature"
          placeholder="Which one?"
          searchable
          data={features
            .filter((one) => !pipeline.features.includes(one.id))
            .map((one) => ({ value: String(one.id), label: one.name }))}
          value={feature}
          onChange={setFeature}
          style={{ flex: "1 1 14rem" }}
          maw={420}
        />
        <Button
          loading={add.isPending}
          disabled={feature === null}
          onClick={() => feature && add.mutate(Number(feature))}
        >
          Add the feature
        </Button>
      </Group>
    </Section>
  );
}
