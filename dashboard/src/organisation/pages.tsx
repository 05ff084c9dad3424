/** The pages of an organisation: what stands at the side, and what the command palette offers. */
import {
  IconAddressBook,
  IconChartBar,
  IconFileExport,
  IconFolders,
  IconForms,
  IconHistory,
  IconKey,
  IconLogin2,
  IconPlugConnected,
  IconRefresh,
  IconSettings,
  IconShieldCheck,
  IconUsersGroup,
  IconWebhook,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { ADMIN, useOrganisationMay } from "~/lib/permissions";
import { useIsThere } from "~/own-flags/gates";

export const AT = "/organisation/$organisation" as const;

interface OrganisationPage {
  name: string;
  to:
    | typeof AT
    | `${typeof AT}/${"members" | "groups" | "roles" | "audience-sync" | "api-keys" | "webhooks" | "integrations"}`
    | `${typeof AT}/${"usage" | "audit-log" | "single-sign-on" | "custom-fields" | "import-export" | "settings"}`;
  icon: ReactNode;
  /** Everybody sees it; the others are for administrators. */
  isOpen?: boolean;
}

const PAGES: { group: string; pages: OrganisationPage[] }[] = [
  {
    group: "Organisation",
    pages: [
      { name: "Projects", to: AT, icon: <IconFolders size={18} />, isOpen: true },
      { name: "Usage", to: `${AT}/usage`, icon: <IconChartBar size={18} /> },
      { name: "Audit log", to: `${AT}/audit-log`, icon: <IconHistory size={18} /> },
    ],
  },
  {
    group: "People",
    pages: [
      { name: "Members", to: `${AT}/members`, icon: <IconAddressBook size={18} />, isOpen: true },
      { name: "Groups", to: `${AT}/groups`, icon: <IconUsersGroup size={18} />, isOpen: true },
      { name: "Roles", to: `${AT}/roles`, icon: <IconShieldCheck size={18} /> },
      { name: "Single sign-on", to: `${AT}/single-sign-on`, icon: <IconLogin2 size={18} /> },
    ],
  },
  {
    group: "Connections",
    pages: [
      { name: "Audience sync", to: `${AT}/audience-sync`, icon: <IconRefresh size={18} /> },
      { name: "API keys", to: `${AT}/api-keys`, icon: <IconKey size={18} /> },
      { name: "Webhooks", to: `${AT}/webhooks`, icon: <IconWebhook size={18} /> },
      { name: "Integrations", to: `${AT}/integrations`, icon: <IconPlugConnected size={18} /> },
    ],
  },
  {
    group: "Settings",
    pages: [
      { name: "Custom fields", to: `${AT}/custom-fields`, icon: <IconForms size={18} />, isOpen: true },
      { name: "Import and export", to: `${AT}/import-export`, icon: <IconFileExport size={18} /> },
      { name: "Organisation settings", to: `${AT}/settings`, icon: <IconSettings size={18} /> },
    ],
  },
];

/** Those that the user may see, group by group. */
export function useOrganisationPages(organisation: number | undefined) {
  const isThere = useIsThere();
  const isAdmin = useOrganisationMay(organisation)(ADMIN);
  return PAGES.map(({ group, pages }) => ({
    group,
    pages: pages.filter(({ to, isOpen }) => (isAdmin || isOpen) && isThere(to)),
  })).filter(({ pages }) => pages.length > 0);
}
