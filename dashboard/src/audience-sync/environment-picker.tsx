/** An environment of the organisation, by its project; the value is its client-side key. */
import { Select, SimpleGrid } from "@mantine/core";
import { useState } from "react";
import { api } from "~/api/client";
import { useEnvironments, useProjects } from "~/shell/place";

interface EnvironmentPickerProps {
  organisation: number;
  value: string;
  onChange: (key: string) => void;
  error?: string;
}

/** The environment with a key, wherever it is. */
export function useEnvironment(key: string) {
  return api.useQuery(
    "get",
    "/api/v1/environments/{environment_key}/",
    { params: { path: { environment_key: key } } },
    { enabled: key !== "" },
  );
}

export function EnvironmentPicker({ organisation, value, onChange, error }: EnvironmentPickerProps) {
  const projects = useProjects(organisation).data ?? [];
  const present = useEnvironment(value).data;
  const [chosen, setChosen] = useState<number>();
  const project = chosen ?? present?.project;
  const environments = useEnvironments(project).data?.results ?? [];
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }}>
      <Select
        label="Project"
        required
        searchable
        placeholder="Choose a project"
        nothingFoundMessage="There is none like that"
        data={projects.map((one) => ({ value: String(one.id), label: one.name }))}
        value={project === undefined ? null : String(project)}
        onChange={(id) => {
          setChosen(id ? Number(id) : undefined);
          onChange("");
        }}
      />
      <Select
        label="Environment"
        required
        placeholder={project === undefined ? "Choose a project first" : "Choose an environment"}
        disabled={project === undefined}
        data={environments.map((one) => ({ value: one.api_key, label: one.name }))}
        value={value || null}
        onChange={(key) => onChange(key ?? "")}
        error={error}
      />
    </SimpleGrid>
  );
}
