/** The pages of an environment, at the side. */
import { Badge, Stack } from "@mantine/core";
import {
  IconArrowsDiff,
  IconCode,
  IconFileExport,
  IconFilter,
  IconFlag3,
  IconFlask,
  IconGitMerge,
  IconGitPullRequest,
  IconHistory,
  IconPlugConnected,
  IconRoute,
  IconSettings,
  IconShieldCheck,
  IconStack2,
  IconTool,
  IconUsers,
  IconWebhook,
  IconZoomQuestion,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { api } from "~/api/client";
import { useIsThere } from "~/own-flags/gates";
import { PageGroup, PageLink } from "./page-links";

const AT = "/project/$project/environment/$environment" as const;

/** A page of an environment: the last part of its address. */
type Name =
  | "features"
  | "segments"
  | "identities"
  | "explain"
  | "change-requests"
  | "compare"
  | "sdk-keys"
  | "webhooks"
  | "integrations"
  | "settings"
  | "environments"
  | "project-change-requests"
  | "audit-log"
  | "release-pipelines"
  | "experiments"
  | "permissions"
  | "import-export"
  | "project-settings";

interface PlacePage {
  name: string;
  to: `${typeof AT}/${Name}`;
  icon: ReactNode;
}

/** The pages by group; the command palette offers the same. */
export const PAGES: { group: string; pages: PlacePage[] }[] = [
  {
    group: "Environment",
    pages: [
      { name: "Features", to: `${AT}/features`, icon: <IconFlag3 size={18} /> },
      { name: "Segments", to: `${AT}/segments`, icon: <IconFilter size={18} /> },
      { name: "Identities", to: `${AT}/identities`, icon: <IconUsers size={18} /> },
      { name: "Explain", to: `${AT}/explain`, icon: <IconZoomQuestion size={18} /> },
      { name: "Change requests", to: `${AT}/change-requests`, icon: <IconGitPullRequest size={18} /> },
      { name: "Experiments", to: `${AT}/experiments`, icon: <IconFlask size={18} /> },
      { name: "Compare", to: `${AT}/compare`, icon: <IconArrowsDiff size={18} /> },
      { name: "SDK keys", to: `${AT}/sdk-keys`, icon: <IconCode size={18} /> },
      { name: "Webhooks", to: `${AT}/webhooks`, icon: <IconWebhook size={18} /> },
      { name: "Integrations", to: `${AT}/integrations`, icon: <IconPlugConnected size={18} /> },
      { name: "Environment settings", to: `${AT}/settings`, icon: <IconSettings size={18} /> },
    ],
  },
  {
    group: "Project",
    pages: [
      { name: "Environments", to: `${AT}/environments`, icon: <IconStack2 size={18} /> },
      {
        name: "All change requests",
        to: `${AT}/project-change-requests`,
        icon: <IconGitMerge size={18} />,
      },
      { name: "Release pipelines", to: `${AT}/release-pipelines`, icon: <IconRoute size={18} /> },
      { name: "Audit log", to: `${AT}/audit-log`, icon: <IconHistory size={18} /> },
      { name: "Permissions", to: `${AT}/permissions`, icon: <IconShieldCheck size={18} /> },
      { name: "Import and export", to: `${AT}/import-export`, icon: <IconFileExport size={18} /> },
      { name: "Project settings", to: `${AT}/project-settings`, icon: <IconTool size={18} /> },
    ],
  },
];

/** How many change requests wait for somebody. */
function OpenRequests({ environment }: { environment: string }) {
  const query = api.useQuery("get", "/api/v1/environments/{environment_key}/list-change-requests/", {
    params: { path: { environment_key: environment }, query: { committed: false, page_size: 1 } },
  });
  const count = query.data?.count ?? 0;
  return count > 0 ? <Badge circle={count < 10}>{count}</Badge> : null;
}

export function Navigation({
  project,
  environment,
  onFollow,
}: {
  project: string;
  environment: string;
  onFollow: () => void;
}) {
  const isThere = useIsThere();
  return (
    <Stack gap="lg" component="nav" aria-label="Pages">
      {PAGES.map(({ group, pages }) => (
        <PageGroup key={group} name={group}>
          {pages
            .filter(({ to }) => isThere(to))
            .map(({ name, to, icon }) => (
              <PageLink
                key={name}
                link={{ to, params: { project, environment } }}
                name={name}
                icon={icon}
                aside={name === "Change requests" && <OpenRequests environment={environment} />}
                onFollow={onFollow}
              />
            ))}
        </PageGroup>
      ))}
    </Stack>
  );
}
