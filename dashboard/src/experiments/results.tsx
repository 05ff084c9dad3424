/** How the variants of an experiment do. */
import { Alert, Badge, Button, Progress, Stack, Table, Text } from "@mantine/core";
import { IconAlertTriangle, IconRefresh, IconTrophy } from "@tabler/icons-react";
import { useAct } from "~/api/act";
import { api, http } from "~/api/client";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";
import { EXPERIMENTS } from "./status";

/** What the API answers; its document leaves the form open. */
interface Results {
  variants: { variant: string; evaluations: number; conversions: number; conversion_rate: number }[];
  statistics: {
    p_value: number;
    significant: boolean;
    chance_to_win: Record<string, number>;
    lift: string;
    winner: string | null;
    recommendation: string;
    sample_size_warning: string | null;
  };
}

interface Exposures {
  evaluations: number;
  variants: { variant: string; exposures: number }[];
}

function percent(share: number | undefined): string {
  return share === undefined
    ? "—"
    : `${(share * 100).toLocaleString(undefined, { maximumFractionDigits: 1 })} %`;
}

function Verdict({ statistics }: { statistics: Results["statistics"] }) {
  const { winner, recommendation, sample_size_warning, significant, p_value, lift } = statistics;
  return (
    <Stack gap="xs">
      <Alert color={winner ? "teal" : "gray"} icon={winner ? <IconTrophy /> : undefined}>
        <Text size="sm" fw={600}>
          {recommendation}
        </Text>
        <Text size="sm">
          Lift {lift}; p = {p_value.toPrecision(2)},{" "}
          {significant ? "so hardly chance" : "so it may be chance"}.
        </Text>
      </Alert>
      {sample_size_warning && (
        <Alert color="yellow" icon={<IconAlertTriangle />}>
          {sample_size_warning}
        </Alert>
      )}
    </Stack>
  );
}

function Variants({ results, exposures }: { results: Results; exposures: Exposures | null }) {
  const shown = new Map(exposures?.variants.map((one) => [one.variant, one.exposures]));
  return (
    <Table>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Variant</Table.Th>
          <Table.Th ta="right" visibleFrom="sm">
            Got it
          </Table.Th>
          <Table.Th ta="right" visibleFrom="sm">
            Identities
          </Table.Th>
          <Table.Th ta="right" visibleFrom="sm">
            Converted
          </Table.Th>
          <Table.Th>Rate</Table.Th>
          <Table.Th ta="right">Chance to win</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {results.variants.map((one) => (
          <Table.Tr key={one.variant}>
            <Table.Td style={{ overflowWrap: "anywhere" }}>
              {one.variant} {results.statistics.winner === one.variant && <Badge color="teal">wins</Badge>}
            </Table.Td>
            <Table.Td ta="right" visibleFrom="sm">
              {shown.get(one.variant)?.toLocaleString() ?? "—"}
            </Table.Td>
            <Table.Td ta="right" visibleFrom="sm">
              {one.evaluations.toLocaleString()}
            </Table.Td>
            <Table.Td ta="right" visibleFrom="sm">
              {one.conversions.toLocaleString()}
            </Table.Td>
            <Table.Td>
              {percent(one.conversion_rate)}
              <Progress
                mt={4}
                value={one.conversion_rate * 100}
                aria-label={`${one.variant}: ${percent(one.conversion_rate)}`}
              />
            </Table.Td>
            <Table.Td ta="right">{percent(results.statistics.chance_to_win[one.variant])}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

interface ResultsProps {
  experiment: number;
  feature: string;
  hasBegun: boolean;
}

export function ExperimentResults({ experiment, feature, hasBegun }: ResultsProps) {
  const { environment } = usePlace();
  const params = { path: { environment_key: environment.api_key, experiment_id: experiment } };
  const results = api.useQuery(
    "get",
    "/api/v1/environments/{environment_key}/experiments/{experiment_id}/results/",
    { params },
  );
  const exposures = api.useQuery(
    "get",
    "/api/v1/environments/{environment_key}/experiments/{experiment_id}/exposures/",
    { params },
  );
  const count = useAct(
    async () => {
      await http.POST(
        "/api/v1/environments/{environment_key}/experiments/{experiment_id}/exposures/refresh/",
        { params },
      );
      await http.POST("/api/v1/environments/{environment_key}/experiments/{experiment_id}/results/refresh/", {
        params,
      });
    },
    { quiet: true, changes: [EXPERIMENTS] },
  );
  return (
    <Section
      title="Results"
      description={`From the traits exp_${feature}_variant and exp_${feature}_converted, which your programs set.`}
      actions={
        hasBegun && (
          <Button
            variant="default"
            size="xs"
            leftSection={<IconRefresh size={14} />}
            loading={count.isPending}
            onClick={() => count.mutate()}
          >
            Count anew
          </Button>
        )
      }
    >
      <Refusal error={count.error} />
      <Loaded query={results} rows={2}>
        {(answer) => {
          const found = answer as Results | null;
          if (!found) {
            return (
              <Text size="sm" c="dimmed">
                {hasBegun ? "Not counted yet." : "They come once it has begun."}
              </Text>
            );
          }
          return (
            <Stack>
              <Verdict statistics={found.statistics} />
              {found.variants.length > 0 && (
                <Variants results={found} exposures={(exposures.data as Exposures | null) ?? null} />
              )}
            </Stack>
          );
        }}
      </Loaded>
    </Section>
  );
}
