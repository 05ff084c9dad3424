/** How the requests are spread over projects, or over the environments of one. */
import { Anchor, Progress, Table, Text } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "~/api/client";
import { Pager } from "~/parts/pager";
import { Section } from "~/parts/section";
import { Failed } from "~/parts/states";
import { type Period, sumOf, totalsOf } from "./counts";

/** Each row is a question of its own to the API. */
const SIZE = 12;

export interface Place {
  id: number;
  name: string;
}

interface BreakdownProps {
  organisation: number;
  period: Period;
  by: "project" | "environment";
  places: Place[];
  /** All requests, of which each place has its share. */
  total: number;
  onChoose: (id: number) => void;
}

export function Breakdown({ organisation, period, by, places, total, onChoose }: BreakdownProps) {
  const [page, setPage] = useState(1);
  const shown = places.slice((page - 1) * SIZE, page * SIZE);
  const answers = useQueries({
    queries: shown.map(({ id }) =>
      api.queryOptions("get", "/api/v1/organisations/{organisation_id}/usage-data/", {
        params: { path: { organisation_id: organisation }, query: { period, [`${by}_id`]: id } },
      }),
    ),
  });
  const failed = answers.find((answer) => answer.error);
  return (
    <Section title={by === "project" ? "By project" : "By environment"}>
      {failed?.error && <Failed error={failed.error} retry={failed.refetch} />}
      <Table>
        <Table.Tbody>
          {shown.map(({ id, name }, place) => {
            const counts = answers[place]?.data;
            const requests = counts && sumOf(totalsOf(counts));
            const share = total > 0 ? ((requests ?? 0) / total) * 100 : 0;
            return (
              <Table.Tr key={id}>
                <Table.Td w={{ base: "60%", sm: "30%" }}>
                  <Anchor component="button" size="sm" ta="left" onClick={() => onChoose(id)}>
                    {name}
                  </Anchor>
                </Table.Td>
                <Table.Td visibleFrom="xs">
                  <Progress value={share} aria-label={`The share of ${name}`} />
                </Table.Td>
                <Table.Td w={120} ta="right">
                  <Text size="sm" style={{ fontVariantNumeric: "tabular-nums" }}>
                    {requests === undefined ? "…" : requests.toLocaleString()}
                  </Text>
                </Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
      <Pager page={page} size={SIZE} count={places.length} onChange={setPage} />
    </Section>
  );
}
