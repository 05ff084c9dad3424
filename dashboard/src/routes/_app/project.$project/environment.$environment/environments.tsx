import { Badge, Button, Modal, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { createFileRoute, Link } from "@tanstack/react-router";
import { CreateEnvironment } from "~/environments/create-environment";
import { useProjectMay } from "~/lib/permissions";
import { Copyable } from "~/parts/copy";
import { Page } from "~/parts/page";
import { Rows } from "~/parts/rows";
import { usePlace } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/environments")({
  component: Environments,
});

function Environments() {
  const params = Route.useParams();
  const { project, environments } = usePlace();
  const [opened, { open, close }] = useDisclosure();
  const mayCreate = useProjectMay(project.id)("CREATE_ENVIRONMENT");
  return (
    <Page
      title="Environments"
      description={`Where ${project.name} runs. Each feature has a state in each of them.`}
      actions={
        mayCreate && (
          <Button leftSection={<IconPlus size={16} />} onClick={open}>
            New environment
          </Button>
        )
      }
    >
      <Rows
        head={
          <>
            <Table.Th>Environment</Table.Th>
            <Table.Th visibleFrom="sm">Client-side key</Table.Th>
            <Table.Th visibleFrom="md">Rules</Table.Th>
          </>
        }
      >
        {environments.map((one) => (
          <Table.Tr key={one.id}>
            <Table.Td>
              <Link
                className="row-link"
                to="/project/$project/environment/$environment/features"
                params={{ ...params, environment: one.api_key }}
              >
                {one.name}
              </Link>
              <Text size="sm" c="dimmed">
                {one.description}
              </Text>
            </Table.Td>
            <Table.Td visibleFrom="sm">
              <Copyable value={one.api_key} label={`Copy the key of ${one.name}`} />
            </Table.Td>
            <Table.Td visibleFrom="md">
              {one.minimum_change_request_approvals !== null && <Badge color="yellow">needs approval</Badge>}{" "}
              {one.use_v2_feature_versioning && <Badge color="teal">keeps versions</Badge>}
            </Table.Td>
          </Table.Tr>
        ))}
      </Rows>
      <Modal opened={opened} onClose={close} title="New environment">
        <CreateEnvironment project={project.id} onDone={close} />
      </Modal>
    </Page>
  );
}
