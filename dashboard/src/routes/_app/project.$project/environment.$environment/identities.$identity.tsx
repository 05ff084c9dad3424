import { Button, Group, SimpleGrid } from "@mantine/core";
import { IconZoomQuestion } from "@tabler/icons-react";
import { createFileRoute, Link, notFound } from "@tanstack/react-router";
import { useAct } from "~/api/act";
import { api, http } from "~/api/client";
import { IdentityFlags } from "~/identities/identity-flags";
import { IdentitySegments } from "~/identities/identity-segments";
import { Traits } from "~/identities/traits";
import { useEnvironmentMay } from "~/lib/permissions";
import { DeleteButton } from "~/parts/confirm";
import { Copy } from "~/parts/copy";
import { Page } from "~/parts/page";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { usePlace } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/identities/$identity")({
  beforeLoad: ({ params }) => {
    if (!/^\d+$/.test(params.identity)) throw notFound();
  },
  component: IdentityPage,
});

function IdentityPage() {
  const params = Route.useParams();
  const id = Number(params.identity);
  const navigate = Route.useNavigate();
  const { environment } = usePlace();
  const mayManage = useEnvironmentMay(environment.api_key)("MANAGE_IDENTITIES");
  const path = { environment_key: environment.api_key, identity_id: id };
  const query = api.useQuery("get", "/api/v1/environments/{environment_key}/identities/{identity_id}/", {
    params: { path },
  });
  const remove = useAct(
    () =>
      http.DELETE("/api/v1/environments/{environment_key}/identities/{identity_id}/", { params: { path } }),
    {
      quiet: true,
      done: "The identity is gone.",
      after: () => navigate({ to: "/project/$project/environment/$environment/identities", params }),
      changes: ["/api/v1/environments/{environment_key}/identities/"],
    },
  );
  return (
    <Loaded query={query}>
      {(identity) => (
        <Page
          title={identity.identifier}
          heading={
            <Group gap={4} component="span" display="inline-flex">
              {identity.identifier}
              <Copy value={identity.identifier} label="Copy the identifier" />
            </Group>
          }
          description={`An identity in ${environment.name}`}
          actions={
            <Link
              to="/project/$project/environment/$environment/explain"
              params={{ project: params.project, environment: params.environment }}
              search={{ identifier: identity.identifier }}
            >
              <Button component="span" variant="default" leftSection={<IconZoomQuestion size={16} />}>
                Explain its flags
              </Button>
            </Link>
          }
        >
          <SimpleGrid cols={{ base: 1, lg: 2 }}>
            <Traits identity={id} mayManage={mayManage} />
            <IdentitySegments identity={id} />
          </SimpleGrid>
          <IdentityFlags identity={id} mayManage={mayManage} />
          {mayManage && (
            <Section title="Delete the identity" danger>
              <Group justify="space-between">
                <span>
                  Its traits and overrides go with it. It comes back, without them, when an SDK asks for it
                  again.
                </span>
                <DeleteButton
                  title="Delete the identity"
                  name={identity.identifier}
                  onConfirm={remove.mutateAsync}
                >
                  Traits and overrides of {identity.identifier} are gone for good.
                </DeleteButton>
              </Group>
            </Section>
          )}
        </Page>
      )}
    </Loaded>
  );
}
