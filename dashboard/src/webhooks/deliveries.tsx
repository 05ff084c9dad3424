/** What was sent to a webhook within the last week, and how that went. */
import {
  Alert,
  Badge,
  Box,
  Button,
  Collapse,
  Group,
  Paper,
  Stack,
  Text,
  UnstyledButton,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronRight, IconRefresh, IconSend } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { CodeBlock, Copyable } from "~/parts/copy";
import { Pager } from "~/parts/pager";
import { Section } from "~/parts/section";
import { Empty, Loaded } from "~/parts/states";
import { Time } from "~/parts/time";
import { callsOf, type Delivery, type Owner, useDeliveries, WEBHOOKS, type Webhook } from "./calls";

const SIZE = 20;

const COLOURS: Record<string, string> = { delivered: "teal", failed: "red", waiting: "yellow" };

/** Milliseconds, as people say them. */
export function lasted(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** How the last attempt went, in a few words. */
function outcome(delivery: Delivery): string {
  const parts = [];
  if (delivery.response_status !== null) parts.push(`answered ${delivery.response_status}`);
  if (delivery.duration !== null) parts.push(`after ${lasted(delivery.duration)}`);
  if (delivery.attempts > 1) parts.push(`${delivery.attempts} attempts`);
  return parts.join(", ");
}

function Details({ delivery, onRetry }: { delivery: Delivery; onRetry: (() => void) | undefined }) {
  return (
    <Stack gap="sm" pb="md">
      {delivery.error && delivery.status !== "delivered" && (
        <Alert color={delivery.status === "failed" ? "red" : "yellow"} title="The last attempt">
          {delivery.error}
        </Alert>
      )}
      <Group justify="space-between">
        <Group gap="xs">
          <Text size="xs" c="dimmed" fw={600}>
            webhook-id
          </Text>
          <Copyable value={delivery.uuid} label="Copy the id of the delivery" />
        </Group>
        {onRetry && (
          <Button variant="default" size="xs" leftSection={<IconSend size={14} />} onClick={onRetry}>
            Send it again
          </Button>
        )}
      </Group>
      <CodeBlock code={JSON.stringify(delivery.body, null, 2)} label="Copy what was sent" />
      {delivery.response_body && (
        <>
          <Text size="xs" c="dimmed" fw={600}>
            Answer
          </Text>
          <CodeBlock code={delivery.response_body} label="Copy the answer" />
        </>
      )}
    </Stack>
  );
}

function Entry({ delivery, onRetry }: { delivery: Delivery; onRetry: (() => void) | undefined }) {
  const [opened, { toggle }] = useDisclosure();
  return (
    <Box style={{ borderBottom: "1px solid var(--burgee-line)" }}>
      <UnstyledButton w="100%" py="sm" onClick={toggle} aria-expanded={opened}>
        <Group wrap="nowrap" gap="sm">
          <Box style={{ flex: 1, minWidth: 0 }}>
            <Group gap="xs">
              <Text size="sm" fw={600}>
                {delivery.event_type}
              </Text>
              <Badge color={COLOURS[delivery.status]}>{delivery.status}</Badge>
            </Group>
            <Text size="xs" c="dimmed">
              <Time at={delivery.attempted_at ?? delivery.created_at} />
              {outcome(delivery) && `, ${outcome(delivery)}`}
            </Text>
          </Box>
          <IconChevronRight
            size={16}
            style={{ transform: opened ? "rotate(90deg)" : undefined, flexShrink: 0 }}
            aria-hidden
          />
        </Group>
      </UnstyledButton>
      <Collapse expanded={opened}>{opened && <Details delivery={delivery} onRetry={onRetry} />}</Collapse>
    </Box>
  );
}

export function Deliveries({ owner, webhook }: { owner: Owner; webhook: Webhook }) {
  const [page, setPage] = useState(1);
  const query = useDeliveries(owner, webhook.id, page, SIZE);
  const retry = useAct((id: number) => callsOf(owner).retry(webhook.id, id) as Promise<unknown>, {
    changes: WEBHOOKS,
    done: "It is sent again.",
  });
  return (
    <Section
      title="What was sent"
      description="Within the last week, newest first. What fails is tried again for some five hours."
      actions={
        <Button
          variant="default"
          size="xs"
          leftSection={<IconRefresh size={14} />}
          loading={query.isFetching}
          onClick={() => query.refetch()}
        >
          Look again
        </Button>
      }
    >
      {!webhook.enabled && <Alert color="yellow">The webhook is off: nothing is sent.</Alert>}
      <Loaded query={query}>
        {({ results, count }) =>
          count === 0 ? (
            <Empty icon={<IconSend />} title="Nothing was sent yet">
              Change something that it is told of, or send an example from its settings.
            </Empty>
          ) : (
            <>
              <Paper px="md">
                {results.map((delivery) => (
                  <Entry
                    key={delivery.id}
                    delivery={delivery}
                    onRetry={webhook.enabled ? () => retry.mutate(delivery.id) : undefined}
                  />
                ))}
              </Paper>
              <Pager page={page} size={SIZE} count={count} onChange={setPage} />
            </>
          )
        }
      </Loaded>
    </Section>
  );
}
