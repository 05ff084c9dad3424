/**
 * GitHub: the installation of the server's application that is an organisation's, and which repositories belong to which of
 * its projects. Issues and pull requests of these can be linked to features.
 */
import { Button, Group, Select, Stack, Switch, Table, Text } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http, type Schema } from "~/api/client";
import { explain } from "~/api/error";
import { DeleteButton } from "~/parts/confirm";
import { Form } from "~/parts/form";
import { IconButton } from "~/parts/icon-button";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";
import { useProjects } from "~/shell/place";

const GITHUB = "/api/v1/organisations/{organisation_id}/integrations/github/";
const ONE = "/api/v1/organisations/{organisation_id}/integrations/github/{id}/";
const REPOSITORIES =
  "/api/v1/organisations/{organisation_id}/integrations/github/{configuration_id}/repositories/";
const REPOSITORY =
  "/api/v1/organisations/{organisation_id}/integrations/github/{configuration_id}/repositories/{id}/";

function Connect({ organisation }: { organisation: number }) {
  const [installation, setInstallation] = useState("");
  const act = useAct(
    () =>
      http.POST(GITHUB, {
        params: { path: { organisation_id: organisation } },
        body: { installation_id: installation.trim() },
      }),
    { quiet: true, changes: [GITHUB], done: "GitHub is connected." },
  );
  return (
    <Form onSubmit={() => act.mutate()}>
      <Refusal error={act.error} fields={["installation_id"]} />
      <Group align="flex-end">
        <TextField
          label="Installation"
          description="Install the application at GitHub; the number is at the end of the address that follows."
          required
          value={installation}
          onChange={setInstallation}
          error={about(act.error, "installation_id")}
          style={{ flex: "1 1 16rem" }}
        />
        <Button type="submit" loading={act.isPending} disabled={!installation.trim()}>
          Connect
        </Button>
      </Group>
    </Form>
  );
}

interface ConnectedProps {
  organisation: number;
  configuration: Schema<"GithubConfigurationView">;
}

function AddRepository({ organisation, configuration }: ConnectedProps) {
  const [repository, setRepository] = useState<string | null>(null);
  const [project, setProject] = useState<string | null>(null);
  const projects = useProjects(organisation).data ?? [];
  const found = api.useQuery("get", "/api/v1/organisations/{organisation_id}/github/repositories/", {
    params: {
      path: { organisation_id: organisation },
      query: { installation_id: configuration.installation_id, page_size: 100 },
    },
  });
  const add = useAct(
    () => {
      const [repository_owner = "", repository_name = ""] = (repository ?? "").split("/");
      return http.POST(REPOSITORIES, {
        params: { path: { organisation_id: organisation, configuration_id: configuration.id } },
        body: { project: Number(project), repository_owner, repository_name, tagging_enabled: true },
      });
    },
    { changes: [GITHUB], done: "The repository is added.", after: () => setRepository(null) },
  );
  return (
    <Form onSubmit={() => add.mutate()}>
      <Group align="flex-end">
        <Select
          label="Repository"
          placeholder={found.isPending ? "Asking GitHub …" : "Which"}
          searchable
          data={(found.data?.results ?? []).map((one) => one.full_name)}
          value={repository}
          onChange={setRepository}
          error={found.error && explain(found.error)}
          style={{ flex: "1 1 14rem" }}
        />
        <Select
          label="Its project"
          placeholder="Whose features it is about"
          data={projects.map((one) => ({ value: String(one.id), label: one.name }))}
          value={project}
          onChange={setProject}
          style={{ flex: "1 1 12rem" }}
        />
        <Button type="submit" loading={add.isPending} disabled={!repository || !project}>
          Add
        </Button>
      </Group>
    </Form>
  );
}

function Repositories({ organisation, configuration }: ConnectedProps) {
  const path = { organisation_id: organisation, configuration_id: configuration.id };
  const projects = useProjects(organisation).data ?? [];
  const query = api.useQuery("get", REPOSITORIES, { params: { path, query: ALL } });
  const tag = useAct(
    ({ id, tagging_enabled }: { id: number; tagging_enabled: boolean }) =>
      http.PATCH(REPOSITORY, { params: { path: { ...path, id } }, body: { tagging_enabled } }),
    { changes: [GITHUB], done: "Saved." },
  );
  const remove = useAct((id: number) => http.DELETE(REPOSITORY, { params: { path: { ...path, id } } }), {
    changes: [GITHUB],
    done: "The repository is gone.",
  });
  return (
    <Loaded query={query} rows={2}>
      {({ results }) =>
        results.length > 0 && (
          <Table>
            <Table.Tbody>
              {results.map((one) => {
                const name = `${one.repository_owner}/${one.repository_name}`;
                return (
                  <Table.Tr key={one.id}>
                    <Table.Td fw={600} style={{ overflowWrap: "anywhere" }}>
                      {name}
                      <Text size="xs" c="dimmed">
                        {projects.find((project) => project.id === one.project)?.name}
                      </Text>
                    </Table.Td>
                    <Table.Td>
                      <Switch
                        label="Tags and labels"
                        checked={one.tagging_enabled}
                        onChange={(event) =>
                          tag.mutate({ id: one.id, tagging_enabled: event.currentTarget.checked })
                        }
                      />
                    </Table.Td>
                    <Table.Td w={50}>
                      <IconButton
                        aria-label={`Take away the repository ${name}`}
                        onClick={() => remove.mutate(one.id)}
                      >
                        <IconTrash size={16} />
                      </IconButton>
                    </Table.Td>
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
        )
      }
    </Loaded>
  );
}

function Connected({ organisation, configuration }: ConnectedProps) {
  const end = useAct(
    () => http.DELETE(ONE, { params: { path: { organisation_id: organisation, id: configuration.id } } }),
    { quiet: true, changes: [GITHUB], done: "GitHub is no longer connected." },
  );
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm">Installation {configuration.installation_id}</Text>
        <DeleteButton title="Disconnect GitHub" name="GitHub" onConfirm={end.mutateAsync}>
          The application is taken out of the account at GitHub, and tags that rest on it go.
        </DeleteButton>
      </Group>
      <Repositories organisation={organisation} configuration={configuration} />
      <AddRepository organisation={organisation} configuration={configuration} />
    </Stack>
  );
}

export function Github({ organisation }: { organisation: number }) {
  const query = api.useQuery("get", GITHUB, { params: { path: { organisation_id: organisation } } });
  return (
    <Section
      title="GitHub"
      description="Issues and pull requests are linked to features: they are told of changes there, and features are tagged with how they stand."
    >
      <Loaded query={query} rows={1}>
        {({ results: [configuration] }) =>
          configuration ? (
            <Connected organisation={organisation} configuration={configuration} />
          ) : (
            <Connect organisation={organisation} />
          )
        }
      </Loaded>
    </Section>
  );
}
