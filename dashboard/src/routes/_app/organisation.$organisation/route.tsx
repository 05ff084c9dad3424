import { Tabs } from "@mantine/core";
import { createFileRoute, notFound, Outlet, useRouterState } from "@tanstack/react-router";
import { ADMIN, useOrganisationMay } from "~/lib/permissions";
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

const TABS = [
  { name: "Projects", to: "/organisation/$organisation", path: "projects" },
  { name: "Members", to: "/organisation/$organisation/members", path: "members" },
  { name: "Groups", to: "/organisation/$organisation/groups", path: "groups" },
  { name: "Roles", to: "/organisation/$organisation/roles", path: "roles", adminOnly: true },
  {
    name: "Audience sync",
    to: "/organisation/$organisation/audience-sync",
    path: "audience-sync",
    adminOnly: true,
  },
  { name: "API keys", to: "/organisation/$organisation/api-keys", path: "api-keys", adminOnly: true },
  { name: "Webhooks", to: "/organisation/$organisation/webhooks", path: "webhooks", adminOnly: true },
  {
    name: "Integrations",
    to: "/organisation/$organisation/integrations",
    path: "integrations",
    adminOnly: true,
  },
  { name: "Usage", to: "/organisation/$organisation/usage", path: "usage", adminOnly: true },
  { name: "Audit log", to: "/organisation/$organisation/audit-log", path: "audit-log", adminOnly: true },
  {
    name: "Single sign-on",
    to: "/organisation/$organisation/single-sign-on",
    path: "single-sign-on",
    adminOnly: true,
  },
  { name: "Custom fields", to: "/organisation/$organisation/custom-fields", path: "custom-fields" },
  {
    name: "Import and export",
    to: "/organisation/$organisation/import-export",
    path: "import-export",
    adminOnly: true,
  },
  { name: "Settings", to: "/organisation/$organisation/settings", path: "settings", adminOnly: true },
] as const;

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
        const tabs = TABS.filter((tab) => (isAdmin || !("adminOnly" in tab)) && isThere(tab.to));
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
