/** What the command palette knows of an organisation: its pages, those about audience syncs, and the syncs by name. */
import type { SpotlightActionData, SpotlightActionGroupData } from "@mantine/spotlight";
import { IconPlus, IconRefresh } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useObjects } from "~/audience-sync/objects";
import { PAGES as SYNC_PAGES } from "~/audience-sync/pages";
import { ADMIN, useOrganisationMay } from "~/lib/permissions";
import { useOrganisationPages } from "~/organisation/pages";
import { useAddress, useProject } from "./place";

function useSyncs(organisation: number | undefined, isWanted: boolean): SpotlightActionData[] {
  const navigate = useNavigate();
  const syncs = useObjects(organisation ?? 0, "syncs", organisation !== undefined && isWanted);
  return (syncs.data?.results ?? []).map(({ name }) => ({
    id: `sync-${name}`,
    label: name,
    description: "Audience sync",
    leftSection: <IconRefresh size={18} />,
    onClick: () =>
      navigate({
        to: "/organisation/$organisation/audience-sync/syncs/$sync",
        params: { organisation: String(organisation), sync: name },
      }),
  }));
}

export function useOrganisationActions(search: string): SpotlightActionGroupData[] {
  const address = useAddress();
  const project = useProject(address.project).data;
  const organisation = address.organisation ?? project?.organisation;
  const isAdmin = useOrganisationMay(organisation)(ADMIN);
  const groups = useOrganisationPages(organisation);
  const navigate = useNavigate();
  const syncs = useSyncs(organisation, isAdmin && search.length > 1);
  if (organisation === undefined) return [];
  const params = { organisation: String(organisation) };
  const pages = groups
    .flatMap((group) => group.pages)
    .map(({ name, to, icon }) => ({
      id: `organisation-${name}`,
      label: name,
      description: "Organisation",
      leftSection: icon,
      onClick: () => navigate({ to, params }),
    }));
  const ofSyncs = SYNC_PAGES.map(({ name, parts: [part], to }) => ({
    id: `syncs-${name}`,
    label: `Audience sync: ${name}`,
    leftSection: <IconRefresh size={18} />,
    onClick: () => navigate({ to, params: { ...params, kind: part ?? "" } }),
  }));
  const newSync = {
    id: "syncs-new",
    label: "Audience sync: New sync",
    leftSection: <IconPlus size={18} />,
    onClick: () => navigate({ to: "/organisation/$organisation/audience-sync/new", params }),
  };
  return [
    { group: "Organisation", actions: pages },
    { group: "Audience sync", actions: isAdmin ? [...syncs, ...ofSyncs, newSync] : [] },
  ];
}
