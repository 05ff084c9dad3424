/** Who can be signed in with: as the server is set up, and as the flags `oauth_github` and `oauth_google` say. */
import type { Schema } from "~/api/client";
import { type FlagStates, jsonOf, textIn } from "./flags";

export type Provider = Pick<Schema<"ProviderView">, "name" | "label" | "client_id"> & { url?: string | null };

/** Only addresses of the web are gone to. */
function webAddress(url: string | undefined): string | undefined {
  return url && /^https?:\/\//i.test(url) ? url : undefined;
}

export function providersBy(flags: FlagStates, configured: Provider[]): Provider[] {
  const found = (name: string) => configured.find((provider) => provider.name === name);
  const all: (Provider | undefined)[] = [];
  if (flags.oauth_github.enabled) {
    const url = webAddress(textIn(jsonOf(flags.oauth_github), "url"));
    all.push(url ? { name: "github", label: "GitHub", client_id: "", url } : found("github"));
  }
  if (flags.oauth_google.enabled) {
    const client = textIn(jsonOf(flags.oauth_google), "clientId");
    all.push(client ? { name: "google", label: "Google", client_id: client } : found("google"));
  }
  const others = configured.filter(({ name }) => name !== "github" && name !== "google");
  return [...all.filter((provider) => provider !== undefined), ...others];
}
