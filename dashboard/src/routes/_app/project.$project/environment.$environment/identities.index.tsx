import { Button, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconUsers } from "@tabler/icons-react";
import { createFileRoute, Link } from "@tanstack/react-router";
import { api } from "~/api/client";
import { CreateIdentity } from "~/identities/create-identity";
import { useEnvironmentMay } from "~/lib/permissions";
import { Page } from "~/parts/page";
import { Rows } from "~/parts/rows";
import { SearchInput } from "~/parts/search-input";
import { Empty, Loaded } from "~/parts/states";
import { usePlace } from "~/shell/place";

const SIZE = 50;

export const Route = createFileRoute("/_app/project/$project/environment/$environment/identities/")({
  validateSearch: (search: Record<string, unknown>): { q?: string; page?: number } => ({
    q: search.q === undefined || search.q === "" ? undefined : String(search.q),
    page: Number(search.page) > 1 ? Number(search.page) : undefined,
  }),
  component: Identities,
});

function Identities() {
  const { q, page = 1 } = Route.useSearch();
  const params = Route.useParams();
  const navigate = Route.useNavigate();
  const { environment } = usePlace();
  const [opened, { open, close }] = useDisclosure();
  const mayManage = useEnvironmentMay(environment.api_key)("MANAGE_IDENTITIES");
  const query = api.useQuery(
    "get",
    "/api/v1/environments/{environment_key}/identities/",
    { params: { path: { environment_key: environment.api_key }, query: { q, page, page_size: SIZE } } },
    { placeholderData: (previous) => previous },
  );
  return (
    <Page
      title="Identities"
      description={`Whom SDKs asked for in ${environment.name}: users, devices, tenants`}
      actions={
        mayManage && (
          <Button leftSection={<IconPlus size={16} />} onClick={open}>
            New identity
          </Button>
        )
      }
    >
      <SearchInput
        placeholder="Search identities"
        description={'Part of an identifier, or "all of it" in quotes'}
        value={q ?? ""}
        onSearch={(text) => navigate({ search: { q: text || undefined }, replace: true })}
        maw={420}
      />
      <Loaded query={query}>
        {({ results, count }) =>
          count === 0 ? (
            <Empty icon={<IconUsers />} title={q ? "Nobody is called so" : "Nobody yet"}>
              {q ? "Try part of the identifier." : "An identity appears here when an SDK asks for its flags."}
            </Empty>
          ) : (
            <Rows
              head={
                <>
                  <Table.Th>Identifier</Table.Th>
                  <Table.Th visibleFrom="sm" w={120}>
                    ID
                  </Table.Th>
                </>
              }
              pager={{ page, size: SIZE, count, onChange: (page) => navigate({ search: { q, page } }) }}
            >
              {results.map((identity) => (
                <Table.Tr key={identity.id}>
                  <Table.Td style={{ overflowWrap: "anywhere" }}>
                    <Link
                      className="row-link"
                      to="/project/$project/environment/$environment/identities/$identity"
                      params={{ ...params, identity: String(identity.id) }}
                    >
                      {identity.identifier}
                    </Link>
                  </Table.Td>
                  <Table.Td visibleFrom="sm">
                    <Text size="sm" c="dimmed">
                      {identity.id}
                    </Text>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Rows>
          )
        }
      </Loaded>
      <CreateIdentity
        key={String(opened)}
        opened={opened}
        onClose={close}
        onMade={(id) =>
          navigate({
            to: "/project/$project/environment/$environment/identities/$identity",
            params: { ...params, identity: String(id) },
          })
        }
      />
    </Page>
  );
}
