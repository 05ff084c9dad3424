import { Badge, Group, Stack, Tabs } from "@mantine/core";
import { createFileRoute, notFound } from "@tanstack/react-router";
import { api } from "~/api/client";
import { FeatureSettings } from "~/features/feature-settings";
import { useFlag } from "~/features/flag";
import { FlagEditor } from "~/features/flag-editor";
import { History } from "~/features/history";
import { IdentityOverrides } from "~/features/identity-overrides";
import { Usage } from "~/features/usage";
import { useIsOn } from "~/own-flags/client";
import { Copy } from "~/parts/copy";
import { LiveEvaluation } from "~/parts/live-evaluation";
import { Page } from "~/parts/page";
import { Snippets } from "~/parts/snippets";
import { Loaded } from "~/parts/states";
import { TabList } from "~/parts/tab-list";
import { TagBadge } from "~/parts/tag-badge";
import { useTags } from "~/projects/tags";
import { usePlace } from "~/shell/place";

const TABS = ["value", "segments", "identities", "history", "usage", "code", "settings"] as const;
type Tab = (typeof TABS)[number];

export const Route = createFileRoute("/_app/project/$project/environment/$environment/features/$feature")({
  validateSearch: (search: Record<string, unknown>): { tab?: Tab } => ({
    tab: TABS.find((tab) => tab === search.tab),
  }),
  beforeLoad: ({ params }) => {
    if (!/^\d+$/.test(params.feature)) throw notFound();
  },
  component: FeaturePage,
});

function FeaturePage() {
  const id = Number(Route.useParams().feature);
  const { tab = "value" } = Route.useSearch();
  const hasUsage = useIsOn("flag_analytics");
  const navigate = Route.useNavigate();
  const { project, environment } = usePlace();
  const tags = useTags(project.id).data?.results ?? [];
  const feature = api.useQuery("get", "/api/v1/projects/{project_id}/features/{feature_id}/", {
    params: { path: { project_id: project.id, feature_id: id } },
  });
  const flag = useFlag(environment.api_key, id);
  return (
    <Loaded query={feature}>
      {(feature) => (
        <Page
          title={feature.name}
          heading={
            <Group gap={4} component="span" display="inline-flex">
              <span className="mono" style={{ fontSize: "1.375rem" }}>
                {feature.name}
              </span>
              <Copy value={feature.name} label="Copy the name" />
            </Group>
          }
          description={
            <Stack gap={6}>
              {feature.description}
              <Group gap={6}>
                {feature.is_archived && <Badge color="gray">archived</Badge>}
                {tags
                  .filter((tag) => feature.tags.includes(tag.id))
                  .map((tag) => (
                    <TagBadge key={tag.id} tag={tag} />
                  ))}
              </Group>
            </Stack>
          }
        >
          <Tabs
            value={tab}
            onChange={(value) =>
              navigate({ search: { tab: value === "value" ? undefined : (value as Tab) }, replace: true })
            }
            keepMounted={false}
          >
            <TabList mb="md" chosen={tab}>
              <Tabs.Tab value="value">Value</Tabs.Tab>
              <Tabs.Tab value="segments">Segment overrides</Tabs.Tab>
              <Tabs.Tab value="identities">Identity overrides</Tabs.Tab>
              <Tabs.Tab value="history">History</Tabs.Tab>
              {hasUsage && <Tabs.Tab value="usage">Usage</Tabs.Tab>}
              <Tabs.Tab value="code">Code</Tabs.Tab>
              <Tabs.Tab value="settings">Settings</Tabs.Tab>
            </TabList>
            {tab !== "value" && tab !== "segments" && (
              <Tabs.Panel value={tab}>
                {tab === "identities" && <IdentityOverrides feature={feature} />}
                {tab === "history" && <History feature={feature} />}
                {tab === "usage" && hasUsage && <Usage feature={feature} />}
                {tab === "code" && (
                  <Stack>
                    <LiveEvaluation environmentKey={environment.api_key} feature={feature.name} />
                    <Snippets environmentKey={environment.api_key} feature={feature.name} />
                  </Stack>
                )}
                {tab === "settings" && <FeatureSettings key={feature.id} feature={feature} />}
              </Tabs.Panel>
            )}
            {/* One editor for both tabs, so that a draft spans them. */}
            <div hidden={tab !== "value" && tab !== "segments"}>
              <Loaded query={flag} rows={3}>
                {(flag) => (
                  <FlagEditor
                    key={`${environment.id} ${feature.id}`}
                    feature={feature}
                    flag={flag}
                    part={tab === "segments" ? "segments" : "value"}
                  />
                )}
              </Loaded>
            </div>
          </Tabs>
        </Page>
      )}
    </Loaded>
  );
}
