/** The way through organisations, projects and environments, in the header. */
import { Badge, Button, Group, Menu, ScrollArea, Text } from "@mantine/core";
import { IconBuilding, IconChevronDown, IconPlus } from "@tabler/icons-react";
import { useNavigate, useRouterState } from "@tanstack/react-router";
import { useMayCreateOrganisation } from "~/own-flags/organisations";
import { useAddress, useEnvironments, useOrganisations, useProject, useProjects } from "./place";

interface Choice {
  id: string;
  name: string;
  isCurrent: boolean;
  choose: () => void;
}

interface LevelProps {
  label: string;
  current: string | undefined;
  choices: Choice[];
  footer?: { name: string; choose: () => void; icon: React.ReactNode }[];
  badge?: boolean;
}

function Level({ label, current, choices, footer = [], badge }: LevelProps) {
  return (
    <Menu shadow="md" width={260} position="bottom-start">
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          size="compact-md"
          px={6}
          rightSection={<IconChevronDown size={14} />}
          aria-label={`${label}: ${current ?? "choose"}`}
          styles={{
            section: { marginInlineStart: 4 },
            root: { color: "var(--mantine-color-text)" },
            label: { maxWidth: 180 },
          }}
        >
          {badge && current ? (
            <Badge size="lg">{current}</Badge>
          ) : (
            <Text fw={600} size="sm" truncate>
              {current ?? label}
            </Text>
          )}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{label}</Menu.Label>
        <ScrollArea.Autosize mah={320}>
          {choices.map((choice) => (
            <Menu.Item
              key={choice.id}
              onClick={choice.choose}
              fw={choice.isCurrent ? 700 : undefined}
              aria-current={choice.isCurrent || undefined}
            >
              {choice.name}
            </Menu.Item>
          ))}
        </ScrollArea.Autosize>
        {footer.length > 0 && <Menu.Divider />}
        {footer.map((item) => (
          <Menu.Item key={item.name} leftSection={item.icon} onClick={item.choose}>
            {item.name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** The page of another environment that is like the one shown: lists stay lists, an object's page becomes its list. */
function samePage(path: string): string {
  return /\/environment\/[^/]+\/([a-z-]+)/.exec(path)?.[1] ?? "features";
}

export function Switcher() {
  const address = useAddress();
  const navigate = useNavigate();
  const mayCreate = useMayCreateOrganisation();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const project = useProject(address.project);
  const organisations = useOrganisations();
  const organisationId = project.data?.organisation ?? address.organisation;
  const organisation = organisations.data?.results.find((one) => one.id === organisationId);
  const projects = useProjects(organisationId);
  const environments = useEnvironments(address.project);
  const environment = environments.data?.results.find((one) => one.api_key === address.environment);

  const toOrganisation = (id: number) =>
    navigate({ to: "/organisation/$organisation", params: { organisation: String(id) } });
  return (
    <Group
      gap={2}
      wrap="nowrap"
      component="nav"
      aria-label="Place"
      style={{ minWidth: 0, overflow: "hidden" }}
    >
      <Level
        label="Organisation"
        current={organisation?.name}
        choices={(organisations.data?.results ?? []).map((one) => ({
          id: String(one.id),
          name: one.name,
          isCurrent: one.id === organisationId,
          choose: () => toOrganisation(one.id),
        }))}
        footer={[
          ...(organisation
            ? [
                {
                  name: "Projects and members",
                  icon: <IconBuilding size={16} />,
                  choose: () => toOrganisation(organisation.id),
                },
              ]
            : []),
          ...(mayCreate
            ? [
                {
                  name: "New organisation",
                  icon: <IconPlus size={16} />,
                  choose: () => navigate({ to: "/create" }),
                },
              ]
            : []),
        ]}
      />
      {address.project !== undefined && (
        <>
          <Text c="dimmed" aria-hidden>
            /
          </Text>
          <Level
            label="Project"
            current={project.data?.name}
            choices={(projects.data ?? []).map((one) => ({
              id: String(one.id),
              name: one.name,
              isCurrent: one.id === address.project,
              choose: () => navigate({ to: "/project/$project", params: { project: String(one.id) } }),
            }))}
          />
        </>
      )}
      {environment && (
        <>
          <Text c="dimmed" aria-hidden>
            /
          </Text>
          <Level
            label="Environment"
            current={environment.name}
            badge
            choices={(environments.data?.results ?? []).map((one) => ({
              id: one.api_key,
              name: one.name,
              isCurrent: one.id === environment.id,
              choose: () =>
                navigate({
                  to: `/project/${address.project}/environment/${one.api_key}/${samePage(path)}` as "/",
                }),
            }))}
            footer={[
              {
                name: "Environments of this project",
                icon: <IconPlus size={16} />,
                choose: () =>
                  navigate({
                    to: "/project/$project/environment/$environment/environments",
                    params: { project: String(address.project), environment: environment.api_key },
                  }),
              },
            ]}
          />
        </>
      )}
    </Group>
  );
}
