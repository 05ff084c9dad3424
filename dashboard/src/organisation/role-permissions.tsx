/** What a role may do, in the organisation, in a project, in an environment. */
import { Divider, Select, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http } from "~/api/client";
import { Loaded } from "~/parts/states";
import { useTags } from "~/projects/tags";
import { useEnvironments, useProjects } from "~/shell/place";
import { type Given, PermissionList } from "./permission-list";

interface PartProps {
  organisation: number;
  role: number;
}

const BASE = "/api/v1/organisations/{organisation_id}/roles/{role_id}/";

function InOrganisation({ organisation, role }: PartProps) {
  const path = { organisation_id: organisation, role_id: role };
  const all = api.useQuery("get", "/api/v1/organisations/permissions/");
  const given = api.useQuery(
    "get",
    "/api/v1/organisations/{organisation_id}/roles/{role_id}/organisation-permissions/",
    { params: { path, query: ALL } },
  );
  const present = given.data?.results[0];
  const save = useAct(
    ({ permissions }: Given) => {
      const body = { permissions: permissions.map((one) => one.permission_key) };
      return present
        ? http.PUT("/api/v1/organisations/{organisation_id}/roles/{role_id}/organisation-permissions/{id}/", {
            params: { path: { ...path, id: present.id } },
            body,
          })
        : http.POST("/api/v1/organisations/{organisation_id}/roles/{role_id}/organisation-permissions/", {
            params: { path },
            body,
          });
    },
    { changes: [BASE] },
  );
  return (
    <Loaded query={all} rows={1}>
      {(all) => (
        <PermissionList
          all={all}
          given={
            present && {
              admin: false,
              permissions: present.permissions.map((key) => ({ permission_key: key, tags: [] })),
            }
          }
          onChange={save.mutate}
          disabled={save.isPending || given.data === undefined}
        />
      )}
    </Loaded>
  );
}

function InProject({ organisation, role, project }: PartProps & { project: number }) {
  const tags = useTags(project).data?.results;
  const path = { organisation_id: organisation, role_id: role };
  const all = api.useQuery("get", "/api/v1/projects/permissions/");
  const given = api.useQuery(
    "get",
    "/api/v1/organisations/{organisation_id}/roles/{role_id}/projects-permissions/",
    { params: { path, query: { ...ALL, project } } },
  );
  const present = given.data?.results[0];
  const save = useAct(
    (wanted: Given) => {
      const body = { project, ...wanted };
      return present
        ? http.PUT("/api/v1/organisations/{organisation_id}/roles/{role_id}/projects-permissions/{id}/", {
            params: { path: { ...path, id: present.id } },
            body,
          })
        : http.POST("/api/v1/organisations/{organisation_id}/roles/{role_id}/projects-permissions/", {
            params: { path },
            body,
          });
    },
    { changes: [BASE] },
  );
  return (
    <Loaded query={all} rows={3}>
      {(all) => (
        <PermissionList
          all={all}
          given={present}
          onChange={save.mutate}
          disabled={save.isPending || given.data === undefined}
          admin="Administrator of the project"
          tags={tags}
        />
      )}
    </Loaded>
  );
}

function InEnvironment({
  organisation,
  role,
  project,
  environment,
}: PartProps & { project: number; environment: number }) {
  const tags = useTags(project).data?.results;
  const path = { organisation_id: organisation, role_id: role };
  const all = api.useQuery("get", "/api/v1/environments/permissions/");
  const given = api.useQuery(
    "get",
    "/api/v1/organisations/{organisation_id}/roles/{role_id}/environments-permissions/",
    {
      params: { path, query: { ...ALL, environment } },
    },
  );
  const present = given.data?.results[0];
  const save = useAct(
    (wanted: Given) => {
      const body = { environment, ...wanted };
      return present
        ? http.PUT("/api/v1/organisations/{organisation_id}/roles/{role_id}/environments-permissions/{id}/", {
            params: { path: { ...path, id: present.id } },
            body,
          })
        : http.POST("/api/v1/organisations/{organisation_id}/roles/{role_id}/environments-permissions/", {
            params: { path },
            body,
          });
    },
    { changes: [BASE] },
  );
  return (
    <Loaded query={all} rows={3}>
      {(all) => (
        <PermissionList
          all={all}
          given={present}
          onChange={save.mutate}
          disabled={save.isPending || given.data === undefined}
          admin="Administrator of the environment"
          tags={tags}
        />
      )}
    </Loaded>
  );
}

export function RolePermissions({ organisation, role }: PartProps) {
  const projects = useProjects(organisation).data ?? [];
  const [project, setProject] = useState<string | null>(null);
  const environments = useEnvironments(project ? Number(project) : undefined).data?.results ?? [];
  const [environment, setEnvironment] = useState<string | null>(null);
  return (
    <Stack gap="sm">
      <Text fw={600} size="sm">
        In the organisation
      </Text>
      <InOrganisation organisation={organisation} role={role} />
      <Divider />
      <Select
        label="In the project"
        placeholder="Choose a project"
        data={projects.map((one) => ({ value: String(one.id), label: one.name }))}
        value={project}
        onChange={(value) => {
          setProject(value);
          setEnvironment(null);
        }}
        maw={320}
      />
      {project && (
        <InProject key={project} organisation={organisation} role={role} project={Number(project)} />
      )}
      {project && (
        <>
          <Divider />
          <Select
            label="In the environment"
            placeholder="Choose an environment"
            data={environments.map((one) => ({ value: String(one.id), label: one.name }))}
            value={environment}
            onChange={setEnvironment}
            maw={320}
          />
        </>
      )}
      {project && environment && (
        <InEnvironment
          key={environment}
          organisation={organisation}
          role={role}
          project={Number(project)}
          environment={Number(environment)}
        />
      )}
    </Stack>
  );
}
