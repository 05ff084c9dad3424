import { Tabs } from "@mantine/core";
import { createFileRoute, notFound, Outlet, useRouterState } from "@tanstack/react-router";
import { ADMIN, useOrganisationMay } from "~/lib/permissions";
import { PAGES } from "~/organisation/pages";
import { useIsThere } from "~/own-flags/gates";
import { Page } from "~/parts/page";
import { Loaded, NotFound } from "~/parts/states";
import { useOrganisations } from "~/shell/place";

export const Route = createFileRoute("/_app/organisation/$organisation")({
  beforeLoad: ({ params }) => {
    if (!/^\d+$/.test(params.organisation)) throw notFound();
  },
  component: OrganisationLayout,
});

function OrganisationLayout() {
  const params = Route.useParams();
  const navigate = Route.useNavigate();
  const organisations = useOrganisations();
  const isAdmin = useOrganisationMay(Number(params.organisation))(ADMIN);
  const isThere = useIsThere();
  const path = useRouterState({ select: (state) => state.location.pathname.split("/")[3] || "projects" });
  return (
    <Loaded query={organisations}>
      {({ results }) => {
        const organisation = results.find((one) => String(one.id) === params.organisation);
        if (!organisation) return <NotFound />;
        const tabs = PAGES.filter((tab) => (isAdmin || !tab.adminOnly) && isThere(tab.to));
        return (
          <Page title={organisation.name}>
            <Tabs
              value={path}
              onChange={(value) => {
                const tab = tabs.find((one) => one.path === value);
                if (tab) void navigate({ to: tab.to, params });
              }}
            >
              <Tabs.List>
                {tabs.map((tab) => (
                  <Tabs.Tab key={tab.path} value={tab.path}>
                    {tab.name}
                  </Tabs.Tab>
                ))}
              </Tabs.List>
              <Tabs.Panel value={path} pt="lg">
                {isThere(`/organisation/${params.organisation}/${path}`) ? <Outlet /> : <NotFound />}
              </Tabs.Panel>
            </Tabs>
          </Page>
        );
      }}
    </Loaded>
  );
}
