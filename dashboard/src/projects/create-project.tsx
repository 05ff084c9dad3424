import { Button, Modal, TagsInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { useOwnFlag } from "~/own-flags/client";
import { environmentNames } from "~/own-flags/gates";
import { Form } from "~/parts/form";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";

interface CreateProjectProps {
  organisation: number;
  opened: boolean;
  onClose: () => void;
}

/** Makes a project with its environments. After a refusal it goes on with what is made already. */
export function CreateProject({ organisation, opened, onClose }: CreateProjectProps) {
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const first = environmentNames(useOwnFlag("default_environment_names_for_new_project"));
  const [environments, setEnvironments] = useState(first);
  const [made] = useState<{ project?: Schema<"ProjectView">; environments: number }>({ environments: 0 });
  const create = useAct(
    async () => {
      made.project ??= (
        await http.POST("/api/v1/projects/", { body: { name: name.trim(), organisation } })
      ).data;
      if (!made.project) throw new Error("The server answered with nothing.");
      for (const environment of environments.slice(made.environments)) {
        await http.POST("/api/v1/environments/", { body: { name: environment, project: made.project.id } });
        made.environments += 1;
      }
      return made.project;
    },
    {
      quiet: true,
      changes: ["/api/v1/projects/"],
      done: `${name} is created.`,
      after: (project) => navigate({ to: "/project/$project", params: { project: String(project.id) } }),
    },
  );
  return (
    <Modal opened={opened} onClose={onClose} title="New project">
      <Form onSubmit={() => create.mutate()}>
        <Refusal error={create.error} fields={["name"]} />
        <TextField
          label="Name"
          required
          data-autofocus
          disabled={made.project !== undefined}
          value={name}
          onChange={setName}
          error={about(create.error, "name")}
        />
        <TagsInput
          label="Environments"
          value={environments}
          onChange={setEnvironments}
          clearButtonProps={{ "aria-label": "Remove all environments" }}
        />
        <Button type="submit" loading={create.isPending} disabled={!name.trim()}>
          Create project
        </Button>
      </Form>
    </Modal>
  );
}
