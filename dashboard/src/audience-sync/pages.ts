/** The pages about audience syncs: the way between them, and what the command palette offers. */
const AT = "/organisation/$organisation/audience-sync" as const;

export const PAGES = [
  { name: "Syncs", to: AT, parts: [undefined, "", "new", "syncs"] },
  { name: "Runs", to: `${AT}/runs`, parts: ["runs"] },
  { name: "Models", to: `${AT}/$kind`, parts: ["models"] },
  { name: "Sources", to: `${AT}/$kind`, parts: ["sources"] },
  { name: "Destinations", to: `${AT}/$kind`, parts: ["destinations"] },
  { name: "Channels", to: `${AT}/$kind`, parts: ["channels"] },
  { name: "YAML", to: `${AT}/document`, parts: ["document"] },
] as const;
