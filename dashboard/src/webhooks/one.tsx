/** One webhook by its id: for the pages that show what was sent to it. */
import { Badge, Group, Stack, Text } from "@mantine/core";
import { Loaded, NotFound } from "~/parts/states";
import { type Owner, useWebhooks } from "./calls";
import { Deliveries } from "./deliveries";

export function OneWebhook({ owner, id }: { owner: Owner; id: string }) {
  const query = useWebhooks(owner);
  return (
    <Loaded query={query}>
      {(webhooks) => {
        const webhook = webhooks.find((one) => String(one.id) === id);
        if (!webhook) return <NotFound />;
        return (
          <Stack>
            <Group gap="xs">
              <Text className="mono" fw={600}>
                {webhook.url}
              </Text>
              {webhook.secret && <Badge>signed</Badge>}
              {!webhook.enabled && <Badge color="gray">off</Badge>}
            </Group>
            <Deliveries owner={owner} webhook={webhook} />
          </Stack>
        );
      }}
    </Loaded>
  );
}
