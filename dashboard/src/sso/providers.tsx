/** The providers that whoever runs the installation has set up, for everybody. */
import { Code, Group, Text } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { api } from "~/api/client";
import { Copyable } from "~/parts/copy";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";

export function InstallationProviders() {
  const query = api.useQuery("get", "/api/v1/auth/providers/");
  return (
    <Section
      title="OpenID Connect, GitHub and Google"
      description="Set up for the whole installation, in its configuration."
    >
      <Loaded query={query} rows={1}>
        {(providers) =>
          providers.length === 0 ? (
            <>
              <Text size="sm" c="dimmed">
                None is set up. Who runs the installation sets <Code>sign_in.oidc_issuer_url</Code> and{" "}
                <Code>sign_in.oidc_client_id</Code>, and registers this address as redirect URI:
              </Text>
              <Copyable
                value={`${location.origin}/api/v1/auth/oidc/callback/`}
                label="Copy the redirect URI"
              />
            </>
          ) : (
            providers.map((provider) => (
              <Group key={provider.name} gap="xs">
                <IconCircleCheck size={18} color="var(--mantine-color-teal-filled)" aria-hidden />
                <Text size="sm">Members can sign in with {provider.label}.</Text>
              </Group>
            ))
          )
        }
      </Loaded>
    </Section>
  );
}
