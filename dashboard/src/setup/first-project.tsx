/** The second step: an organisation, a project in it, its environments and a flag to see at once. */
import { Button, TagsInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { useOwnFlag } from "~/own-flags/client";
import { environmentNames } from "~/own-flags/gates";
import { Form } from "~/parts/form";
import { about, Refusal } from "~/session/refusal";

export interface FirstFlag {
  project: Schema<"ProjectView">;
  environment: Schema<"EnvironmentView">;
  feature: Schema<"FeatureView">;
}

interface Wanted {
  organisation: string;
  project: string;
  environments: string[];
}

/** What has been made so far. After a refusal the next attempt goes on from there, and makes nothing twice. */
interface Made {
  organisation?: Schema<"OrganisationView">;
  project?: Schema<"ProjectView">;
  environments: Schema<"EnvironmentView">[];
}

function there<T>(data: T | undefined): T {
  if (data === undefined) throw new Error("The server answered with nothing.");
  return data;
}

async function make(wanted: Wanted, made: Made): Promise<FirstFlag> {
  made.organisation ??= there(
    (await http.POST("/api/v1/organisations/", { body: { name: wanted.organisation } })).data,
  );
  const body = { name: wanted.project, organisation: made.organisation.id };
  made.project ??= there((await http.POST("/api/v1/projects/", { body })).data);
  const project = made.project;
  for (const name of wanted.environments.slice(made.environments.length)) {
    const { data } = await http.POST("/api/v1/environments/", { body: { name, project: project.id } });
    made.environments.push(there(data));
  }
  const [environment] = made.environments;
  if (!environment) throw new Error("At least one environment is needed.");
  const { data } = await http.POST("/api/v1/projects/{project_id}/features/", {
    params: { path: { project_id: project.id } },
    body: {
      name: "welcome_message",
      initial_value: "Hello from Burgee",
      default_enabled: true,
      description: "The first flag, to see that everything works.",
    },
  });
  return { project, environment, feature: there(data) };
}

export function FirstProject({ onDone }: { onDone: (flag: FirstFlag) => unknown }) {
  const environments = environmentNames(useOwnFlag("default_environment_names_for_new_project"));
  const [wanted, setWanted] = useState<Wanted>({
    organisation: "",
    project: "",
    environments,
  });
  const [made] = useState<Made>({ environments: [] });
  const create = useAct(() => make(wanted, made), {
    quiet: true,
    changes: ["/api/v1/organisations/"],
    after: onDone,
  });
  const isComplete = wanted.organisation.trim() && wanted.project.trim() && wanted.environments.length > 0;
  return (
    <Form onSubmit={() => create.mutate()}>
      <Refusal error={create.error} />
      <TextInput
        label="Organisation"
        description="Who works here together: a company, a team"
        placeholder="Acme"
        required
        autoFocus
        value={wanted.organisation}
        onChange={(event) => setWanted({ ...wanted, organisation: event.currentTarget.value })}
        error={made.organisation ? undefined : about(create.error, "name")}
      />
      <TextInput
        label="Project"
        description="What is flagged: a product, an app, a service"
        placeholder="Web shop"
        required
        value={wanted.project}
        onChange={(event) => setWanted({ ...wanted, project: event.currentTarget.value })}
      />
      <TagsInput
        label="Environments"
        description="Where it runs. Each flag has a state in each of them."
        value={wanted.environments}
        onChange={(environments) => setWanted({ ...wanted, environments })}
        clearButtonProps={{ "aria-label": "Remove all environments" }}
      />
      <Button type="submit" loading={create.isPending} disabled={!isComplete}>
        Create
      </Button>
    </Form>
  );
}
