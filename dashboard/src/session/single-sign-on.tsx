/** Signing in through somebody else, as far as this installation is set up for it. */
import { Button, Collapse, Divider, Stack } from "@mantine/core";
import { IconBrandGithub, IconBrandGoogle, IconBuildingFortress, IconLogin2 } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useAct } from "~/api/act";
import { api, http } from "~/api/client";
import { useIsOn, useOwnFlags } from "~/own-flags/client";
import { type Provider, providersBy } from "~/own-flags/sign-in";
import { Form } from "~/parts/form";
import { TextField } from "~/parts/text-field";
import { departing } from "./outside";
import { Refusal } from "./refusal";

const ICONS: Record<string, React.ReactNode> = {
  github: <IconBrandGithub size={18} />,
  google: <IconBrandGoogle size={18} />,
};

/** Google has no page of this server's to begin at: it answers its own page with a token in the fragment. */
function googleUrl(client: string): string {
  const url = new URL("https://accounts.google.com/o/oauth2/v2/auth");
  url.search = new URLSearchParams({
    client_id: client,
    redirect_uri: `${location.origin}/oauth/google`,
    response_type: "token",
    scope: "openid email profile",
  }).toString();
  return url.toString();
}

function beginning(provider: Provider): string {
  if (provider.name === "oidc" && provider.url) return provider.url;
  return departing(provider.url ?? googleUrl(provider.client_id));
}

function Saml() {
  const [opened, setOpened] = useState(false);
  const [name, setName] = useState("");
  const begin = useAct(
    () => http.POST("/api/v1/auth/saml/{name}/request/", { params: { path: { name: name.trim() } } }),
    { quiet: true, after: (answer) => location.assign(answer.url) },
  );
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconBuildingFortress size={18} />}
        onClick={() => setOpened(!opened)}
        aria-expanded={opened}
      >
        Sign in with SAML
      </Button>
      <Collapse expanded={opened}>
        <Form onSubmit={() => begin.mutate()} gap="xs">
          <Refusal error={begin.error} />
          <TextField label="Name of your organisation's sign-in" value={name} onChange={setName} />
          <Button type="submit" variant="light" loading={begin.isPending} disabled={!name.trim()}>
            Continue
          </Button>
        </Form>
      </Collapse>
    </>
  );
}

/** Sends whoever comes to the identity provider of this name at once. Where that does not work, the page is there. */
export function useIdentityProvider(name: string | undefined) {
  useEffect(() => {
    if (!name) return;
    http
      .POST("/api/v1/auth/saml/{name}/request/", { params: { path: { name } } })
      .then(({ data }) => data && location.replace(data.url))
      .catch(() => undefined);
  }, [name]);
}

export function SingleSignOn() {
  const query = api.useQuery("get", "/api/v1/auth/providers/");
  const flags = useOwnFlags();
  const providers = providersBy(flags, query.data ?? []);
  const hasSaml = useIsOn("saml");
  if (providers.length === 0 && !hasSaml) return null;
  return (
    <Stack gap="sm">
      <Divider label="or" />
      {providers.map((provider) => (
        <Button
          key={provider.name}
          variant="default"
          onClick={() => location.assign(beginning(provider))}
          data-test={provider.name}
          leftSection={ICONS[provider.name] ?? <IconLogin2 size={18} />}
        >
          Sign in with {provider.label}
        </Button>
      ))}
      {hasSaml && <Saml />}
    </Stack>
  );
}
