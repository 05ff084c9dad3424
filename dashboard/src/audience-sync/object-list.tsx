/** The sources, models, destinations or channels of an organisation: a list, and a dialog for each. */
import { Anchor, Button, Modal, Stack, Table, Text } from "@mantine/core";
import { IconBell, IconDatabase, IconPlus, IconSend, IconTable, IconTrash } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { Confirm } from "~/parts/confirm";
import { IconButton } from "~/parts/icon-button";
import { Section } from "~/parts/section";
import { Empty, Loaded } from "~/parts/states";
import { Time } from "~/parts/time";
import type { ListedKind } from "./kinds";
import { ModelForm } from "./model-form";
import { type Content, contentOf, ONE, type SyncObject, useDeleteObject, useObjects } from "./objects";
import type { ModelContent, SyncContent } from "./sync-content";
import { VariantForm } from "./variant-form";
import { describe, FAMILIES } from "./variants";

interface Words {
  title: string;
  about: string;
  icon: ReactNode;
  empty: string;
}

const WORDS: Record<ListedKind, Words> = {
  sources: {
    title: "Sources",
    about: "Databases and files that rows are read from. They are never written to.",
    icon: <IconDatabase />,
    empty: "A source is where rows come from: a Postgres database, an SQLite file, a folder of CSV files.",
  },
  models: {
    title: "Models",
    about: "Which rows of a source, and the column that names each.",
    icon: <IconTable />,
    empty:
      "A model is a question to a source: the customers of a table, with the column that identifies them.",
  },
  destinations: {
    title: "Destinations",
    about: "Places that are kept in step: Flagsmith, LaunchDarkly, list segments of this server.",
    icon: <IconSend />,
    empty: "A destination is an environment at Flagsmith or LaunchDarkly, or one of this server.",
  },
  channels: {
    title: "Channels",
    about: "Who is told of runs that failed, that wait for a decision, or that are overdue.",
    icon: <IconBell />,
    empty: "A channel is a place for messages: Slack, a webhook, e-mail addresses.",
  },
};

function describeModel({ source, key, sql, table, file }: ModelContent): string {
  return `${file ?? table ?? sql ?? ""}, by ${key}, from ${source}`;
}

/** What an object is, on one line. */
export function line(kind: ListedKind, content: Content): string {
  const family = FAMILIES[kind];
  return family ? describe(family, content) : describeModel(content as unknown as ModelContent);
}

/** Which models and syncs refer to each object of a kind. */
function useUsage(organisation: number, kind: ListedKind): (name: string) => string[] {
  const models = useObjects(organisation, "models").data?.results ?? [];
  const syncs = useObjects(organisation, "syncs").data?.results ?? [];
  if (kind === "sources")
    return (name) =>
      models.filter((one) => contentOf<ModelContent>(one).source === name).map((one) => one.name);
  const refers = (sync: SyncContent, name: string) =>
    kind === "models"
      ? sync.model === name
      : kind === "destinations"
        ? sync.to === name
        : (sync.alerts ?? []).some((alert) => alert.to === name);
  return (name) => syncs.filter((one) => refers(contentOf<SyncContent>(one), name)).map((one) => one.name);
}

interface FormProps {
  organisation: number;
  kind: ListedKind;
  object?: SyncObject;
  source?: string;
  onSaved: (object: SyncObject) => unknown;
  onCancel?: () => void;
  cancel?: string;
}

/** The form of any object but a sync. */
export function ObjectForm({ organisation, kind, source, ...rest }: FormProps) {
  const present = useObjects(organisation, kind).data?.results ?? [];
  const taken = present.map((one) => one.name);
  const family = FAMILIES[kind];
  if (!family) return <ModelForm organisation={organisation} taken={taken} source={source} {...rest} />;
  return <VariantForm organisation={organisation} family={family} taken={taken} {...rest} />;
}

function Rows({
  kind,
  objects,
  usage,
  onEdit,
  onDelete,
}: {
  kind: ListedKind;
  objects: SyncObject[];
  usage: (name: string) => string[];
  onEdit: (object: SyncObject) => void;
  onDelete: (object: SyncObject) => void;
}) {
  return (
    <Table>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Name</Table.Th>
          <Table.Th visibleFrom="sm">Used by</Table.Th>
          <Table.Th visibleFrom="md">Changed</Table.Th>
          <Table.Th w={50} aria-label="Delete" />
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {objects.map((object) => (
          <Table.Tr key={object.name}>
            <Table.Td>
              <Anchor
                component="button"
                type="button"
                className="row-link"
                style={{ overflowWrap: "anywhere", textAlign: "start" }}
                onClick={() => onEdit(object)}
              >
                {object.name}
              </Anchor>
              <Text size="sm" c="dimmed" lineClamp={2} style={{ overflowWrap: "anywhere" }}>
                {line(kind, contentOf(object))}
              </Text>
            </Table.Td>
            <Table.Td visibleFrom="sm">
              <Text size="sm" c={usage(object.name).length === 0 ? "dimmed" : undefined}>
                {usage(object.name).join(", ") || "nothing"}
              </Text>
            </Table.Td>
            <Table.Td visibleFrom="md">
              <Time at={object.updated_at} size="sm" c="dimmed" />
            </Table.Td>
            <Table.Td>
              <IconButton
                aria-label={`Delete the ${ONE[kind]} ${object.name}`}
                onClick={() => onDelete(object)}
              >
                <IconTrash size={16} />
              </IconButton>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

export function ObjectList({ organisation, kind }: { organisation: number; kind: ListedKind }) {
  const query = useObjects(organisation, kind);
  const usage = useUsage(organisation, kind);
  const [edited, setEdited] = useState<SyncObject | "new">();
  const [removed, setRemoved] = useState<SyncObject>();
  const remove = useDeleteObject(organisation, kind);
  const words = WORDS[kind];
  const isNew = edited === "new";
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setEdited("new")}>
      New {ONE[kind]}
    </Button>
  );
  const close = () => setEdited(undefined);
  return (
    <>
      <Section title={words.title} description={words.about} actions={query.data?.count ? create : undefined}>
        <Loaded query={query} rows={3}>
          {({ results }) =>
            results.length === 0 ? (
              <Empty icon={words.icon} title={`No ${kind} yet`} action={create}>
                {words.empty}
              </Empty>
            ) : (
              <Rows kind={kind} objects={results} usage={usage} onEdit={setEdited} onDelete={setRemoved} />
            )
          }
        </Loaded>
      </Section>
      <Modal
        opened={edited !== undefined}
        onClose={close}
        title={isNew ? `New ${ONE[kind]}` : `The ${ONE[kind]} ${edited?.name ?? ""}`}
        size="lg"
      >
        {edited && (
          <ObjectForm
            organisation={organisation}
            kind={kind}
            object={isNew ? undefined : edited}
            onSaved={close}
            onCancel={close}
          />
        )}
      </Modal>
      <Confirm
        opened={removed !== undefined}
        onClose={() => setRemoved(undefined)}
        title={`Delete the ${ONE[kind]}`}
        name={removed?.name}
        onConfirm={async () => removed && remove.mutateAsync(removed.name)}
      >
        <Stack gap={4}>
          <span>Nothing changes at any destination.</span>
          {removed && usage(removed.name).length > 0 && (
            <span>It is used by {usage(removed.name).join(", ")}: change that first.</span>
          )}
        </Stack>
      </Confirm>
    </>
  );
}
