/** The lists of a segment in one environment: how many are on them, and what can be done with them. */
import { ActionIcon, Badge, Button, Group, Menu, Modal, Stack, Table, Text } from "@mantine/core";
import { IconDownload, IconPencil, IconUpload } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { fileName, save } from "~/api/files";
import { useEnvironmentMay } from "~/lib/permissions";
import { Copyable } from "~/parts/copy";
import { Section } from "~/parts/section";
import { Time } from "~/parts/time";
import { usePlace } from "~/shell/place";
import { EditMembers } from "./edit-members";
import { IDENTIFIERS, type ListSegment, propertyOf } from "./lists";
import { LookUp } from "./look-up";
import { UploadMembers } from "./upload-members";

type MemberList = Schema<"MemberListView">;

function Download({ segment, list }: { segment: ListSegment; list: MemberList }) {
  const { environment } = usePlace();
  const download = useAct(async (format: "csv" | "ndjson") => {
    const { data } = await http.GET(
      "/api/v1/environments/{environment_key}/list-segments/{segment_key}/members/",
      {
        params: {
          path: { environment_key: environment.api_key, segment_key: segment.key },
          query: { format, side: list.side, context_kind: list.context_kind },
        },
        parseAs: "blob",
      },
    );
    save(data as unknown as Blob, fileName(segment.key, environment.name, list.side, `members.${format}`));
  });
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon
          loading={download.isPending}
          disabled={list.members === 0}
          aria-label={`Download the ${list.side} members of kind ${list.context_kind}`}
        >
          <IconDownload size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => download.mutate("csv")}>As CSV</Menu.Item>
        <Menu.Item onClick={() => download.mutate("ndjson")}>As lines of JSON</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Lists({ segment, mayRead }: { segment: ListSegment; mayRead: boolean }) {
  if (segment.lists.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        Nobody is on the list here yet.
      </Text>
    );
  }
  return (
    <Table>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>List</Table.Th>
          <Table.Th ta="right">Members</Table.Th>
          <Table.Th visibleFrom="sm">Changed</Table.Th>
          {mayRead && <Table.Th w={50} />}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {segment.lists.map((list) => (
          <Table.Tr key={`${list.side} ${list.context_kind}`}>
            <Table.Td>
              {list.side === "included" ? "Who is in" : "Who is not"}
              <Text size="xs" c="dimmed">
                {list.context_kind === IDENTIFIERS ? "identifiers" : `by the trait ${list.context_kind}`}
              </Text>
            </Table.Td>
            <Table.Td ta="right" style={{ fontVariantNumeric: "tabular-nums" }}>
              {list.members.toLocaleString()}
            </Table.Td>
            <Table.Td visibleFrom="sm">
              <Time at={list.updated_at} size="sm" c="dimmed" />
            </Table.Td>
            {mayRead && (
              <Table.Td>
                <Download segment={segment} list={list} />
              </Table.Td>
            )}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

export function ListMembers({ segment }: { segment: ListSegment }) {
  const { environment } = usePlace();
  const may = useEnvironmentMay(environment.api_key);
  const [doing, setDoing] = useState<"upload" | "edit">();
  const isManaged = segment.managed_by !== "";
  const mayChange = may("MANAGE_SEGMENT_OVERRIDES") && !isManaged;
  const close = () => setDoing(undefined);
  return (
    <Section
      title={`Who is on the list in ${environment.name}`}
      description={
        <Group gap={6}>
          Rules of other segments ask for it by <Copyable value={propertyOf(segment.key)} />
          {segment.included + segment.excluded > 0 && !segment.in_document && (
            <Badge color="gray" title="It is larger than what SDKs that evaluate by themselves are given">
              evaluated by the server only
            </Badge>
          )}
        </Group>
      }
      actions={
        mayChange && (
          <Group gap="xs">
            <Button
              variant="default"
              size="xs"
              leftSection={<IconPencil size={14} />}
              onClick={() => setDoing("edit")}
            >
              Name members
            </Button>
            <Button size="xs" leftSection={<IconUpload size={14} />} onClick={() => setDoing("upload")}>
              Upload a file
            </Button>
          </Group>
        )
      }
    >
      <Stack>
        <Lists segment={segment} mayRead={may("VIEW_IDENTITIES")} />
        {may("VIEW_IDENTITIES") ? (
          <LookUp list={segment} />
        ) : (
          <Text size="sm" c="dimmed">
            Who is on it, those see who may see identities.
          </Text>
        )}
      </Stack>
      <Modal
        opened={doing === "upload"}
        onClose={close}
        title="Upload a file of members"
        closeOnClickOutside={false}
        closeOnEscape={false}
      >
        <UploadMembers list={segment} onClose={close} />
      </Modal>
      <Modal opened={doing === "edit"} onClose={close} title="Name members">
        <EditMembers list={segment} onClose={close} />
      </Modal>
    </Section>
  );
}
