/** What an integration was sent lately and what came of it; and sending it an example. */
import { Badge, Button, Code, Group, Stack, Text } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import { useAct } from "~/api/act";
import { Empty, Loaded } from "~/parts/states";
import { Time } from "~/parts/time";
import { type Delivery, type Owner, sendExample, useDeliveries } from "./calls";
import { BELOW, type Integration } from "./table";

function Entry({ delivery }: { delivery: Delivery }) {
  const { delivered, response_status: status, error } = delivery;
  return (
    <Stack gap={4} py="sm" style={{ borderBottom: "1px solid var(--burgee-line)" }}>
      <Group justify="space-between" wrap="nowrap" align="flex-start" gap="sm">
        <Text size="sm" style={{ overflowWrap: "anywhere" }}>
          {delivery.event}
        </Text>
        <Badge color={delivered ? "teal" : "red"}>{delivered ? "delivered" : "failed"}</Badge>
      </Group>
      <Text size="xs" c="dimmed">
        <Time at={delivery.created_at} />
        {status !== null && `, answered ${status}`}
      </Text>
      {!delivered && (
        <Text size="xs" c="red">
          {error}
        </Text>
      )}
      {!delivered && delivery.response_body && (
        <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
          {delivery.response_body}
        </Code>
      )}
    </Stack>
  );
}

interface DeliveriesProps {
  owner: Owner;
  integration: Integration;
  id: number;
}

export function Deliveries({ owner, integration, id }: DeliveriesProps) {
  const query = useDeliveries(owner, integration, id);
  const send = useAct(() => sendExample(owner, integration, id), { changes: [BELOW[owner.level]] });
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {integration.told === "identities"
            ? "Noted once a minute, for better and for worse."
            : "The last fifty, newest first."}
        </Text>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconSend size={14} />}
          loading={send.isPending}
          onClick={() => send.mutate()}
        >
          Send an example
        </Button>
      </Group>
      <Loaded query={query} rows={2}>
        {(deliveries) =>
          deliveries.length === 0 ? (
            <Empty icon={<IconSend />} title="Nothing was sent yet">
              Send it an example, or change something that it is told of.
            </Empty>
          ) : (
            <div>
              {deliveries.map((delivery) => (
                <Entry key={delivery.id} delivery={delivery} />
              ))}
            </div>
          )
        }
      </Loaded>
    </Stack>
  );
}
