/** SCIM: an identity provider that keeps the members of an organisation. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { api, http } from "~/api/client";
import { statusOf } from "~/api/error";
import { Confirm, DeleteButton } from "~/parts/confirm";
import { Copyable } from "~/parts/copy";
import { SecretOnce } from "~/parts/secret";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { Time } from "~/parts/time";

const SCIM = "/api/v1/organisations/{organisation_id}/scim/";

export function Scim({ organisation, name }: { organisation: number; name: string }) {
  const params = { path: { organisation_id: organisation } };
  const query = api.useQuery("get", SCIM, { params });
  const [secret, setSecret] = useState<string>();
  const [asking, setAsking] = useState(false);
  const start = useAct(() => http.POST(SCIM, { params }), {
    changes: [SCIM],
    after: ({ token }) => setSecret(token),
  });
  const renew = useAct(
    () => http.POST("/api/v1/organisations/{organisation_id}/scim/regenerate-token/", { params }),
    { quiet: true, changes: [SCIM], after: ({ token }) => setSecret(token) },
  );
  const stop = useAct(() => http.DELETE(SCIM, { params }), {
    quiet: true,
    changes: [SCIM],
    done: "The provider is let in no more.",
  });
  const isOff = statusOf(query.error) === 404;
  return (
    <Section
      title="SCIM"
      description="Your identity provider makes accounts and groups here, and takes them away, as people come and go."
      actions={
        isOff && (
          <Button variant="light" size="xs" loading={start.isPending} onClick={() => start.mutate()}>
            Let it keep the members
          </Button>
        )
      }
    >
      {isOff ? (
        <Text size="sm" c="dimmed">
          Members are kept by hand.
        </Text>
      ) : (
        <Loaded query={query} rows={2}>
          {({ base_path, token_created_at }) => (
            <Stack>
              <Stack gap={2}>
                <Text size="sm" fw={600}>
                  Base address (tenant URL)
                </Text>
                <Copyable value={`${location.origin}${base_path}`} label="Copy the base address" />
              </Stack>
              <Text size="sm" c="dimmed">
                It signs its requests with a bearer token, made <Time at={token_created_at} />.
              </Text>
              <Group justify="flex-end">
                <Button variant="default" onClick={() => setAsking(true)}>
                  New token
                </Button>
                <DeleteButton
                  label="Keep members by hand again"
                  title="Let the provider in no more"
                  action="Let it in no more"
                  name={name}
                  onConfirm={stop.mutateAsync}
                >
                  Its token ends. Members and groups stay as they are.
                </DeleteButton>
              </Group>
            </Stack>
          )}
        </Loaded>
      )}
      <Confirm
        opened={asking}
        onClose={() => setAsking(false)}
        title="New token"
        action="Make a new token"
        onConfirm={renew.mutateAsync}
      >
        The present one ends at once: the provider is refused until it has the new one.
      </Confirm>
      <SecretOnce secret={secret} onClose={() => setSecret(undefined)} title="The token of the provider" />
    </Section>
  );
}
