/** The token that programs may use in the user's name. */
import { Group } from "@mantine/core";
import { useAct } from "~/api/act";
import { http, queryClient } from "~/api/client";
import * as session from "~/api/session";
import { DeleteButton } from "~/parts/confirm";
import { Section } from "~/parts/section";

export function AccessToken() {
  const rotate = useAct(() => http.DELETE("/api/v1/auth/token/"), {
    quiet: true,
    after: () => {
      session.end();
      queryClient.clear();
    },
  });
  return (
    <Section title="Access token" description="What this browser, and programs of yours, sign requests with.">
      <Group justify="space-between">
        <span>Whoever has the present one gets no further; you sign in again and have a new one.</span>
        <DeleteButton label="Replace" title="Replace the access token" onConfirm={rotate.mutateAsync}>
          Programs that use the present token are refused from then on, and you are signed out here.
        </DeleteButton>
      </Group>
    </Section>
  );
}
