/** One webhook by its id: what was sent to it. */
import { Badge, Group, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Page } from "~/parts/page";
import { Loaded, NotFound } from "~/parts/states";
import { type Owner, useWebhooks } from "./calls";
import { Deliveries } from "./deliveries";

export function OneWebhook({ owner, id, back }: { owner: Owner; id: string; back: ReactNode }) {
  const query = useWebhooks(owner);
  return (
    <Loaded query={query}>
      {(webhooks) => {
        const webhook = webhooks.find((one) => String(one.id) === id);
        if (!webhook) return <NotFound />;
        const address = (
          <Group gap="xs">
            <Text className="mono">{webhook.url}</Text>
            {webhook.secret && <Badge>signed</Badge>}
            {!webhook.enabled && <Badge color="gray">off</Badge>}
          </Group>
        );
        return (
          <Page title="Webhook" back={back} description={address} width={960}>
            <Deliveries owner={owner} webhook={webhook} />
          </Page>
        );
      }}
    </Loaded>
  );
}
