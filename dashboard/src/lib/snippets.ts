/** Code to paste: how each SDK asks for a feature. */

export interface Asked {
  key: string;
  /** Where the API is, with `/api/v1/`. */
  url: string;
  feature: string;
  identity?: string;
}

export interface Snippet {
  name: string;
  install: string;
  code: (asked: Asked) => string;
}

const quoted = JSON.stringify;

function curl({ key, url, feature, identity }: Asked): string {
  const header = `-H 'X-Environment-Key: ${key}'`;
  if (identity === undefined)
    return `curl -s '${url}flags/?feature=${encodeURIComponent(feature)}' ${header}`;
  return `curl -s '${url}identities/?identifier=${encodeURIComponent(identity)}&feature=${encodeURIComponent(feature)}' ${header}`;
}

function javascript({ key, url, feature, identity }: Asked): string {
  const who = identity === undefined ? "" : `\n  identity: ${quoted(identity)},`;
  return `import flagsmith from "flagsmith";

await flagsmith.init({
  environmentID: ${quoted(key)},
  api: ${quoted(url)},${who}
});

flagsmith.hasFeature(${quoted(feature)});
flagsmith.getValue(${quoted(feature)});`;
}

function react({ key, url, feature, identity }: Asked): string {
  const who = identity === undefined ? "" : `, identity: ${quoted(identity)}`;
  return `import flagsmith from "flagsmith";
import { FlagsmithProvider, useFlags } from "flagsmith/react";

const options = { environmentID: ${quoted(key)}, api: ${quoted(url)}${who} };

export function App() {
  return (
    <FlagsmithProvider options={options} flagsmith={flagsmith}>
      <Page />
    </FlagsmithProvider>
  );
}

function Page() {
  const flags = useFlags([${quoted(feature)}]);
  const flag = flags[${quoted(feature)}];
  return flag.enabled ? <p>{String(flag.value)}</p> : null;
}`;
}

function node({ key, url, feature, identity }: Asked): string {
  const flags = identity === undefined ? "getEnvironmentFlags()" : `getIdentityFlags(${quoted(identity)})`;
  return `import { Flagsmith } from "flagsmith-nodejs";

const flagsmith = new Flagsmith({ environmentKey: ${quoted(key)}, apiUrl: ${quoted(url)} });
const flags = await flagsmith.${flags};

flags.isFeatureEnabled(${quoted(feature)});
flags.getFeatureValue(${quoted(feature)});`;
}

function python({ key, url, feature, identity }: Asked): string {
  const flags =
    identity === undefined ? "get_environment_flags()" : `get_identity_flags(${quoted(identity)})`;
  return `from flagsmith import Flagsmith

flagsmith = Flagsmith(environment_key=${quoted(key)}, api_url=${quoted(url)})
flags = flagsmith.${flags}

flags.is_feature_enabled(${quoted(feature)})
flags.get_feature_value(${quoted(feature)})`;
}

function go({ key, url, feature, identity }: Asked): string {
  const flags =
    identity === undefined
      ? "client.GetEnvironmentFlags(ctx)"
      : `client.GetIdentityFlags(ctx, ${quoted(identity)}, nil)`;
  return `import flagsmith "github.com/Flagsmith/flagsmith-go-client/v4"

client := flagsmith.NewClient(${quoted(key)}, flagsmith.WithBaseURL(${quoted(url)}))
flags, err := ${flags}

enabled, err := flags.IsFeatureEnabled(${quoted(feature)})
value, err := flags.GetFeatureValue(${quoted(feature)})`;
}

function java({ key, url, feature, identity }: Asked): string {
  const flags = identity === undefined ? "getEnvironmentFlags()" : `getIdentityFlags(${quoted(identity)})`;
  return `FlagsmithClient flagsmith = FlagsmithClient.newBuilder()
    .setApiKey(${quoted(key)})
    .withApiUrl(${quoted(url)})
    .build();
Flags flags = flagsmith.${flags};

flags.isFeatureEnabled(${quoted(feature)});
flags.getFeatureValue(${quoted(feature)});`;
}

function openFeature({ key, url, feature, identity }: Asked): string {
  const who =
    identity === undefined ? "" : `\nawait OpenFeature.setContext({ targetingKey: ${quoted(identity)} });`;
  return `import { OpenFeature } from "@openfeature/web-sdk";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";

await OpenFeature.setProviderAndWait(
  new OFREPWebProvider({
    baseUrl: ${quoted(url.replace(/\/api\/v1\/$/, ""))},
    headers: [["X-Environment-Key", ${quoted(key)}]],
  }),
);${who}

OpenFeature.getClient().getBooleanValue(${quoted(feature)}, false);`;
}

export const SNIPPETS: Snippet[] = [
  { name: "curl", install: "", code: curl },
  { name: "JavaScript", install: "npm install flagsmith", code: javascript },
  { name: "React", install: "npm install flagsmith", code: react },
  { name: "Node.js", install: "npm install flagsmith-nodejs", code: node },
  { name: "Python", install: "pip install flagsmith", code: python },
  { name: "Go", install: "go get github.com/Flagsmith/flagsmith-go-client/v4", code: go },
  { name: "Java", install: "com.flagsmith:flagsmith-java-client", code: java },
  {
    name: "OpenFeature",
    install: "npm install @openfeature/web-sdk @openfeature/ofrep-web-provider",
    code: openFeature,
  },
];

/** Where SDKs find this server. */
export function apiUrl(): string {
  return `${location.origin}/api/v1/`;
}
