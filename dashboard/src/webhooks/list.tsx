/** The webhooks of an environment or of an organisation. */
import { ActionIcon, Badge, Button, Group, Menu, Modal, Switch, Table, Text } from "@mantine/core";
import { IconDots, IconListDetails, IconPencil, IconPlus, IconTrash, IconWebhook } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useAct } from "~/api/act";
import { Confirm } from "~/parts/confirm";
import { Page } from "~/parts/page";
import { Rows } from "~/parts/rows";
import { SecretOnce } from "~/parts/secret";
import { Empty, Loaded } from "~/parts/states";
import { Time } from "~/parts/time";
import { useAddress } from "~/shell/place";
import { callsOf, type Owner, useWebhooks, WEBHOOKS, type Webhook } from "./calls";
import { WebhookForm } from "./form";

/** The part of an address by which people know a webhook. */
export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

function ToDeliveries({ owner, webhook, children }: { owner: Owner; webhook: Webhook; children: ReactNode }) {
  const { project, environment } = useAddress();
  const id = String(webhook.id);
  if (owner.type === "organisation") {
    return (
      <Link
        className="row-link"
        to="/organisation/$organisation/webhooks/$webhook"
        params={{ organisation: String(owner.id), webhook: id }}
      >
        {children}
      </Link>
    );
  }
  return (
    <Link
      className="row-link"
      to="/project/$project/environment/$environment/webhooks/$webhook"
      params={{ project: String(project), environment: environment ?? "", webhook: id }}
    >
      {children}
    </Link>
  );
}

interface RowProps {
  owner: Owner;
  webhook: Webhook;
  mayChange: boolean;
  onEdit: () => void;
  onDelete: () => void;
}

function Row({ owner, webhook, mayChange, onEdit, onDelete }: RowProps) {
  const host = hostOf(webhook.url);
  const toggle = useAct(
    (enabled: boolean) => callsOf(owner).patch(webhook.id, { enabled }) as Promise<unknown>,
    {
      changes: WEBHOOKS,
    },
  );
  const address = (
    <Text span size="sm" fw={600} style={{ overflowWrap: "anywhere" }}>
      {webhook.url}
    </Text>
  );
  return (
    <Table.Tr>
      <Table.Td>
        {mayChange ? (
          <ToDeliveries owner={owner} webhook={webhook}>
            {address}
          </ToDeliveries>
        ) : (
          address
        )}
        <Group gap={6}>
          <Text size="xs" c="dimmed">
            made <Time at={webhook.created_at} />
          </Text>
          {webhook.secret && <Badge size="xs">signed</Badge>}
        </Group>
      </Table.Td>
      <Table.Td w={70}>
        <Switch
          aria-label={`The webhook of ${host} is ${webhook.enabled ? "on" : "off"}`}
          checked={webhook.enabled}
          disabled={!mayChange || toggle.isPending}
          onChange={(event) => toggle.mutate(event.currentTarget.checked)}
        />
      </Table.Td>
      {mayChange && (
        <Table.Td w={50}>
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon aria-label={`What can be done with the webhook of ${host}`}>
                <IconDots size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconPencil size={16} />} onClick={onEdit}>
                Edit or try it
              </Menu.Item>
              <ToDeliveries owner={owner} webhook={webhook}>
                <Menu.Item component="span" leftSection={<IconListDetails size={16} />}>
                  What was sent
                </Menu.Item>
              </ToDeliveries>
              <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={onDelete}>
                Delete
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Table.Td>
      )}
    </Table.Tr>
  );
}

interface WebhooksProps {
  owner: Owner;
  description: ReactNode;
  mayChange: boolean;
  /** What else is set for webhooks, below them. */
  children?: ReactNode;
}

export function Webhooks({ owner, description, mayChange, children }: WebhooksProps) {
  const query = useWebhooks(owner);
  // `null`: a new one.
  const [edited, setEdited] = useState<Webhook | null>();
  const [removed, setRemoved] = useState<Webhook>();
  const [secret, setSecret] = useState<string>();
  const remove = useAct((id: number) => callsOf(owner).remove(id) as Promise<unknown>, {
    quiet: true,
    changes: WEBHOOKS,
    done: "The webhook is gone.",
  });
  const add = mayChange && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setEdited(null)}>
      New webhook
    </Button>
  );
  return (
    <Page title="Webhooks" description={description} actions={query.data?.length ? add : undefined}>
      <Loaded query={query} rows={2}>
        {(webhooks) =>
          webhooks.length === 0 ? (
            <Empty icon={<IconWebhook />} title="No webhooks yet" action={add}>
              {mayChange
                ? "A webhook is an address of yours that is told what happens here, as it happens."
                : "An administrator can add one."}
            </Empty>
          ) : (
            <Rows
              head={
                <>
                  <Table.Th>Address</Table.Th>
                  <Table.Th>On</Table.Th>
                  {mayChange && <Table.Th aria-label="Actions" />}
                </>
              }
            >
              {webhooks.map((webhook) => (
                <Row
                  key={webhook.id}
                  owner={owner}
                  webhook={webhook}
                  mayChange={mayChange}
                  onEdit={() => setEdited(webhook)}
                  onDelete={() => setRemoved(webhook)}
                />
              ))}
            </Rows>
          )
        }
      </Loaded>
      {children}
      <Modal
        opened={edited !== undefined}
        onClose={() => setEdited(undefined)}
        title={edited ? "Edit the webhook" : "New webhook"}
        size="lg"
      >
        {edited !== undefined && (
          <WebhookForm
            owner={owner}
            webhook={edited ?? undefined}
            onClose={() => setEdited(undefined)}
            onSecret={setSecret}
          />
        )}
      </Modal>
      <SecretOnce secret={secret} onClose={() => setSecret(undefined)} title="The secret of the webhook" />
      <Confirm
        opened={removed !== undefined}
        onClose={() => setRemoved(undefined)}
        title="Delete the webhook"
        name={removed && hostOf(removed.url)}
        onConfirm={async () => removed && remove.mutateAsync(removed.id)}
      >
        It is told nothing from then on, and what was sent to it is forgotten.
      </Confirm>
    </Page>
  );
}
