// What a program is told: by the published SDK where it is installed, by the requests it would make otherwise.
import { createRequire } from "node:module";

const installed = createRequire(new URL("../../../tests/sdks/node/package.json", import.meta.url));

async function published() {
  try {
    const { Flagsmith } = await import(installed.resolve("flagsmith-nodejs"));
    const { pino } = await import(installed.resolve("pino"));
    return (options) => new Flagsmith({ ...options, logger: pino({ level: "silent" }) });
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") throw error;
    return undefined;
  }
}

const make = await published();

async function told(flags, feature) {
  const { enabled, value } = (await flags).getFlag(feature);
  return { enabled, value: value ?? null };
}

/** Asks as an SDK with this key asks: for everybody, or for an identity with its traits. */
export function sdk(server, environmentKey) {
  const apiUrl = `${server.url}/api/v1/`;
  const client = make?.({ environmentKey, apiUrl });
  if (client)
    return (feature, identifier, traits) =>
      told(identifier ? client.getIdentityFlags(identifier, traits) : client.getEnvironmentFlags(), feature);
  return async (feature, identifier, traits = {}) => {
    const headers = { "Content-Type": "application/json", "X-Environment-Key": environmentKey };
    const list = Object.entries(traits).map(([trait_key, trait_value]) => ({ trait_key, trait_value }));
    const answer = identifier
      ? await fetch(`${apiUrl}identities/`, {
          method: "POST",
          headers,
          body: JSON.stringify({ identifier, traits: list }),
        })
      : await fetch(`${apiUrl}flags/`, { headers });
    const body = await answer.json();
    const flag = (identifier ? body.flags : body).find((one) => one.feature.name === feature);
    return { enabled: flag.enabled, value: flag.feature_state_value };
  };
}
