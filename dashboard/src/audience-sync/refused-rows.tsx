/** The rows of a run that were refused or could not be sent, and all of them as a file. */
import { Button, Table, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
import { download } from "~/lib/download";
import { Pager } from "~/parts/pager";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import type { Run } from "./runs";

const SIZE = 20;

export function RefusedRows({ organisation, run }: { organisation: number; run: Run }) {
  const [page, setPage] = useState(1);
  const path = { organisation_id: organisation, id: run.id };
  const { data, ...rest } = api.useQuery(
    "get",
    "/api/v1/organisations/{organisation_id}/audience-sync/runs/{id}/errors/",
    { params: { path, query: { page, page_size: SIZE } } },
    { placeholderData: (previous) => previous },
  );
  // The same address answers with a file to those who ask for one.
  const query = { ...rest, data: data as Schema<"Page_RefusedRowView"> | undefined };
  const save = useAct(async () => {
    const { data } = await http.GET(
      "/api/v1/organisations/{organisation_id}/audience-sync/runs/{id}/errors/",
      { params: { path }, headers: { Accept: "text/csv" }, parseAs: "text" },
    );
    download(`${run.sync}-run-${run.id}-errors.csv`, String(data), "text/csv");
  });
  if (query.data?.count === 0) return null;
  return (
    <Section
      title="Rows that were not taken"
      description="Everything else was delivered. They are tried again at the next run."
      actions={
        <Button
          variant="default"
          leftSection={<IconDownload size={16} />}
          loading={save.isPending}
          onClick={() => save.mutate()}
        >
          Download as CSV
        </Button>
      }
    >
      <Loaded query={query} rows={3}>
        {({ results, count }) => (
          <>
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Key</Table.Th>
                  <Table.Th>Operation</Table.Th>
                  <Table.Th>Why</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {results.map((row, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a key may be refused more than once
                  <Table.Tr key={index}>
                    <Table.Td>
                      <span className="mono">{row.key || "(empty)"}</span>
                    </Table.Td>
                    <Table.Td>{row.op}</Table.Td>
                    <Table.Td>
                      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
                        {row.reason}
                      </Text>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
            <Pager page={page} size={SIZE} count={count} onChange={setPage} />
          </>
        )}
      </Loaded>
    </Section>
  );
}
