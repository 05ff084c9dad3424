/** The pages of an organisation: its tabs, and what the command palette offers. */
const AT = "/organisation/$organisation" as const;

export const PAGES = [
  { name: "Projects", to: AT, path: "projects", adminOnly: false },
  { name: "Members", to: `${AT}/members`, path: "members", adminOnly: false },
  { name: "Groups", to: `${AT}/groups`, path: "groups", adminOnly: false },
  { name: "Roles", to: `${AT}/roles`, path: "roles", adminOnly: true },
  { name: "Audience sync", to: `${AT}/audience-sync`, path: "audience-sync", adminOnly: true },
  { name: "API keys", to: `${AT}/api-keys`, path: "api-keys", adminOnly: true },
  { name: "Webhooks", to: `${AT}/webhooks`, path: "webhooks", adminOnly: true },
  { name: "Integrations", to: `${AT}/integrations`, path: "integrations", adminOnly: true },
  { name: "Usage", to: `${AT}/usage`, path: "usage", adminOnly: true },
  { name: "Audit log", to: `${AT}/audit-log`, path: "audit-log", adminOnly: true },
  { name: "Single sign-on", to: `${AT}/single-sign-on`, path: "single-sign-on", adminOnly: true },
  { name: "Custom fields", to: `${AT}/custom-fields`, path: "custom-fields", adminOnly: false },
  { name: "Import and export", to: `${AT}/import-export`, path: "import-export", adminOnly: true },
  { name: "Settings", to: `${AT}/settings`, path: "settings", adminOnly: true },
] as const;
