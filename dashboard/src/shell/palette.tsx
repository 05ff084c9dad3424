/** The command palette: every page, environment, feature and sync, a few letters away. */
import {
  Spotlight,
  type SpotlightActionData,
  type SpotlightActionGroupData,
  spotlight,
} from "@mantine/spotlight";
import { IconFlag3, IconLogout, IconMoon, IconSearch, IconStack2, IconUser } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api } from "~/api/client";
import { useIsThere } from "~/own-flags/gates";
import { signOut } from "~/session/sign-out";
import { PAGES } from "./navigation";
import { useOrganisationActions } from "./organisation-actions";
import { useAddress, useEnvironments } from "./place";
import { useThemeToggle } from "./theme-toggle";

const FOUND = "Features";

function useFound(search: string): SpotlightActionData[] {
  const { project, environment } = useAddress();
  const navigate = useNavigate();
  const query = api.useQuery(
    "get",
    "/api/v1/projects/{project_id}/features/",
    { params: { path: { project_id: project ?? 0 }, query: { search, page_size: 8 } } },
    { enabled: project !== undefined && environment !== undefined && search.length > 1 },
  );
  return (query.data?.results ?? []).map((feature) => ({
    id: `feature-${feature.id}`,
    label: feature.name,
    description: feature.description ?? undefined,
    leftSection: <IconFlag3 size={18} />,
    onClick: () =>
      navigate({
        to: "/project/$project/environment/$environment/features/$feature",
        params: { project: String(project), environment: environment ?? "", feature: String(feature.id) },
      }),
  }));
}

/** The actions that have every typed word in their name. What was searched on the server is here because it matches. */
function matching(groups: SpotlightActionGroupData[], search: string): SpotlightActionGroupData[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (text: string) => words.every((word) => text.toLowerCase().includes(word));
  return groups
    .map((group) => ({
      ...group,
      actions:
        group.group === FOUND ? group.actions : group.actions.filter((action) => matches(action.label ?? "")),
    }))
    .filter((group) => group.actions.length > 0);
}

export function Palette() {
  const [search, setSearch] = useState("");
  // It is here because it was asked for.
  useEffect(spotlight.open, []);
  const navigate = useNavigate();
  const { project, environment } = useAddress();
  const environments = useEnvironments(project);
  const { toggle } = useThemeToggle();
  const isThere = useIsThere();
  const found = useFound(search.trim());
  const ofOrganisation = useOrganisationActions(search.trim());

  const groups: SpotlightActionGroupData[] = [];
  if (found.length > 0) groups.push({ group: FOUND, actions: found });
  if (project !== undefined && environment !== undefined) {
    const params = { project: String(project), environment };
    for (const { group, pages } of PAGES) {
      groups.push({
        group,
        actions: pages
          .filter(({ to }) => isThere(to))
          .map((page) => ({
            id: page.name,
            label: page.name,
            leftSection: page.icon,
            onClick: () => navigate({ to: page.to, params }),
          })),
      });
    }
    groups.push({
      group: "Switch to",
      actions: (environments.data?.results ?? []).map((one) => ({
        id: one.api_key,
        label: one.name,
        description: "Environment",
        leftSection: <IconStack2 size={18} />,
        onClick: () =>
          navigate({
            to: "/project/$project/environment/$environment/features",
            params: { project: String(project), environment: one.api_key },
          }),
      })),
    });
  }
  groups.push(...ofOrganisation);
  groups.push({
    group: "You",
    actions: [
      {
        id: "account",
        label: "Account",
        leftSection: <IconUser size={18} />,
        onClick: () => navigate({ to: "/account" }),
      },
      {
        id: "theme",
        label: "Switch between light and dark",
        leftSection: <IconMoon size={18} />,
        onClick: toggle,
      },
      { id: "sign-out", label: "Sign out", leftSection: <IconLogout size={18} />, onClick: () => signOut() },
    ],
  });
  const shown = matching(groups, search);
  return (
    <Spotlight
      actions={shown}
      filter={(_, actions) => actions}
      query={search}
      onQueryChange={setSearch}
      shortcut={["mod + K", "/"]}
      nothingFound="Nothing like that here"
      highlightQuery
      scrollable
      attributes={{ content: { "aria-label": "Go to" } }}
      maxHeight={420}
      searchProps={{
        leftSection: <IconSearch size={18} />,
        placeholder: "Go to a page, a feature, an environment …",
        "aria-label": "Search commands",
        onKeyDown: (event) => {
          // Whoever types and presses Enter means the first that was found.
          const isChosen = document.querySelector("[data-action][data-selected]");
          const first = shown[0]?.actions[0];
          if (event.key !== "Enter" || isChosen || !first) return;
          first.onClick?.(event as never);
          spotlight.close();
        },
      }}
    />
  );
}
