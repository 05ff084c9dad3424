/** What a role may do, in the organisation, in a project, in an environment. */
import { Checkbox, Divider, Select, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http, type Schema } from "~/api/client";
import { Loaded } from "~/parts/states";
import { useEnvironments, useProjects } from "~/shell/place";

interface Given {
  id: number;
  admin: boolean;
  permissions: Schema<"TaggedPermission">[];
}

interface ListProps {
  all: Schema<"PermissionView">[];
  given: Given | undefined;
  onChange: (given: Omit<Given, "id">) => void;
  disabled: boolean;
  admin?: string;
}

/** What a permission allows, without the words that all descriptions begin with. */
function inWords(description: string): string {
  const words = description
    .replace(/^(Allows the user to|Ability to|Permission to)\s+/, "")
    .replace(/ (in|for) the given (project|environment)/, "")
    .replace(/\.$/, "");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function PermissionList({ all, given, onChange, disabled, admin }: ListProps) {
  const permissions = given?.permissions ?? [];
  const isAdmin = given?.admin ?? false;
  const toggle = (key: Schema<"PermissionView">["key"], isOn: boolean) =>
    onChange({
      admin: isAdmin,
      permissions: isOn
        ? [...permissions, { permission_key: key, tags: [] }]
        : permissions.filter((one) => one.permission_key !== key),
    });
  return (
    <Stack gap="xs">
      {admin && (
        <Checkbox
          label={admin}
          checked={isAdmin}
          disabled={disabled}
          onChange={(event) => onChange({ admin: event.currentTarget.checked, permissions })}
        />
      )}
      {all.map((permission) => (
        <Checkbox
          key={permission.key}
          label={inWords(permission.description)}
          checked={isAdmin || permissions.some((one) => one.permission_key === permission.key)}
          disabled={disabled || isAdmin}
          onChange={(event) => toggle(permission.key, event.currentTarget.checked)}
        />
      ))}
    </Stack>
  );
}

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
    ({ permissions }: Omit<Given, "id">) => {
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
              id: present.id,
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
  const path = { organisation_id: organisation, role_id: role };
  const all = api.useQuery("get", "/api/v1/projects/permissions/");
  const given = api.useQuery(
    "get",
    "/api/v1/organisations/{organisation_id}/roles/{role_id}/projects-permissions/",
    { params: { path, query: { ...ALL, project } } },
  );
  const present = given.data?.results[0];
  const save = useAct(
    (wanted: Omit<Given, "id">) => {
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
        />
      )}
    </Loaded>
  );
}

function InEnvironment({ organisation, role, environment }: PartProps & { environment: number }) {
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
    (wanted: Omit<Given, "id">) => {
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
      {environment && (
        <InEnvironment
          key={environment}
          organisation={organisation}
          role={role}
          environment={Number(environment)}
        />
      )}
    </Stack>
  );
}
