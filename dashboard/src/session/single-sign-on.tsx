/** Signing in through somebody else, as far as this installation is set up for it. */
import { Button, Collapse, Divider, Stack, TextInput } from "@mantine/core";
import { IconBrandGithub, IconBrandGoogle, IconBuildingFortress, IconLogin2 } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
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

function beginning(provider: Schema<"ProviderView">): string {
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
        <form
          onSubmit={(event) => {
            event.preventDefault();
            begin.mutate();
          }}
        >
          <Stack gap="xs">
            <Refusal error={begin.error} />
            <TextInput
              label="Name of your organisation's sign-in"
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <Button type="submit" variant="light" loading={begin.isPending} disabled={!name.trim()}>
              Continue
            </Button>
          </Stack>
        </form>
      </Collapse>
    </>
  );
}

export function SingleSignOn() {
  const providers = api.useQuery("get", "/api/v1/auth/providers/");
  return (
    <Stack gap="sm">
      <Divider label="or" />
      {(providers.data ?? []).map((provider) => (
        <Button
          key={provider.name}
          variant="default"
          onClick={() => location.assign(beginning(provider))}
          leftSection={ICONS[provider.name] ?? <IconLogin2 size={18} />}
        >
          Sign in with {provider.label}
        </Button>
      ))}
      <Saml />
    </Stack>
  );
}
