import { Button, Card, Group, SimpleGrid, Text, ThemeIcon } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconFlag3, IconPlus } from "@tabler/icons-react";
import { createFileRoute, Link } from "@tanstack/react-router";
import { useOrganisationMay } from "~/lib/permissions";
import { Page } from "~/parts/page";
import { Empty, Loaded } from "~/parts/states";
import { CreateProject } from "~/projects/create-project";
import { useProjects } from "~/shell/place";

export const Route = createFileRoute("/_app/organisation/$organisation/")({ component: Projects });

function Projects() {
  const organisation = Number(Route.useParams().organisation);
  const [opened, { open, close }] = useDisclosure();
  const mayCreate = useOrganisationMay(organisation)("CREATE_PROJECT");
  const query = useProjects(organisation);
  const create = mayCreate && (
    <Button leftSection={<IconPlus size={16} />} onClick={open}>
      New project
    </Button>
  );
  return (
    <Page
      title="Projects"
      description="What is flagged: a product, an app, a service."
      actions={query.data?.length ? create : undefined}
    >
      <Loaded query={query}>
        {(projects) =>
          projects.length === 0 ? (
            <Empty icon={<IconFlag3 />} title="No projects yet" action={create}>
              Each has environments, such as development and production, and flags of its own.
            </Empty>
          ) : (
            <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
              {projects.map((project) => (
                <Link
                  key={project.id}
                  to="/project/$project"
                  params={{ project: String(project.id) }}
                  style={{ textDecoration: "none", color: "inherit" }}
                >
                  <Card withBorder padding="lg" className="choice">
                    <Group wrap="nowrap">
                      <ThemeIcon variant="light" size="lg">
                        <IconFlag3 size={18} />
                      </ThemeIcon>
                      <Text fw={600} style={{ overflowWrap: "anywhere" }}>
                        {project.name}
                      </Text>
                    </Group>
                  </Card>
                </Link>
              ))}
            </SimpleGrid>
          )
        }
      </Loaded>
      <CreateProject key={String(opened)} organisation={organisation} opened={opened} onClose={close} />
    </Page>
  );
}
