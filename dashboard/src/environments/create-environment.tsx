/** Makes an environment, empty or as a copy of another. */
import { Button, Select, Textarea } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { toMetadata, type Values } from "~/metadata/fields";
import { Metadata } from "~/metadata/values";
import { Form } from "~/parts/form";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";
import { useEnvironments } from "~/shell/place";

interface CreateEnvironmentProps {
  project: number;
  onDone?: () => void;
}

async function create(
  project: number,
  name: string,
  description: string,
  source: string | null,
  said: Values,
): Promise<string | undefined> {
  if (source === null) {
    const body = { name, project, metadata: toMetadata(said), ...(description ? { description } : {}) };
    return (await http.POST("/api/v1/environments/", { body })).data?.api_key;
  }
  const path = { environment_key: source };
  const { data } = await http.POST("/api/v1/environments/{environment_key}/clone/", {
    params: { path },
    body: { name },
  });
  return data?.api_key;
}

export function CreateEnvironment({ project, onDone }: CreateEnvironmentProps) {
  const navigate = useNavigate();
  const environments = useEnvironments(project);
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [source, setSource] = useState<string | null>(null);
  const [said, setSaid] = useState<Values>({});
  const make = useAct(() => create(project, name, description, source, said), {
    quiet: true,
    changes: ["/api/v1/environments/"],
    done: `${name} is created.`,
    after: (key) => {
      onDone?.();
      if (key) {
        return navigate({
          to: "/project/$project/environment/$environment/features",
          params: { project: String(project), environment: key },
        });
      }
    },
  });
  const others = environments.data?.results ?? [];
  return (
    <Form onSubmit={() => make.mutate()}>
      <Refusal error={make.error} fields={["name", "description"]} />
      <TextField
        label="Name"
        required
        data-autofocus
        value={name}
        onChange={setName}
        error={about(make.error, "name")}
      />
      {others.length > 0 && (
        <Select
          label="Begin as a copy of"
          description="States, values and segment overrides come along; identities do not."
          placeholder="nothing: flags have their first values"
          clearable
          data={others.map((one) => ({ value: one.api_key, label: one.name }))}
          value={source}
          onChange={setSource}
        />
      )}
      {source === null && (
        <>
          <Textarea
            label="Description"
            value={description}
            onChange={(event) => setDescription(event.currentTarget.value)}
            error={about(make.error, "description")}
          />
          <Metadata project={project} entity="environment" values={said} onChange={setSaid} />
        </>
      )}
      <Button type="submit" loading={make.isPending} disabled={!name.trim()}>
        Create environment
      </Button>
    </Form>
  );
}
