/** The metrics of one experiment, and what is expected of them. */
import { Button, Group, Select, Table, Text } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { IconButton } from "~/parts/icon-button";
import { Section } from "~/parts/section";
import { Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";
import { METRICS, useMetrics } from "./metrics";
import { EXPERIMENTS } from "./status";

type Expected = Schema<"ExpectedDirection">;

const EXPECTED: { value: Expected; label: string }[] = [
  { value: "increase", label: "It grows" },
  { value: "decrease", label: "It shrinks" },
  { value: "not_increase", label: "It does not grow" },
  { value: "not_decrease", label: "It does not shrink" },
];

interface MeasuredByProps {
  experiment: Schema<"ExperimentDetailView">;
  disabled: boolean;
}

export function MeasuredBy({ experiment, disabled }: MeasuredByProps) {
  const { environment } = usePlace();
  const metrics = useMetrics(environment.api_key).data?.results ?? [];
  const [metric, setMetric] = useState<string | null>(null);
  const [expected, setExpected] = useState<Expected>("increase");
  const path = { environment_key: environment.api_key, experiment_id: experiment.id };
  const around = { changes: [EXPERIMENTS, METRICS] };
  const add = useAct(
    (metric: number) =>
      http.POST("/api/v1/environments/{environment_key}/experiments/{experiment_id}/metrics/", {
        params: { path },
        body: { metric, expected_direction: expected },
      }),
    { ...around, quiet: true, after: () => setMetric(null) },
  );
  const change = useAct(
    ({ id, expected_direction }: { id: number; expected_direction: Expected }) =>
      http.PATCH("/api/v1/environments/{environment_key}/experiments/{experiment_id}/metrics/{id}/", {
        params: { path: { ...path, id } },
        body: { expected_direction },
      }),
    around,
  );
  const remove = useAct(
    (id: number) =>
      http.DELETE("/api/v1/environments/{environment_key}/experiments/{experiment_id}/metrics/{id}/", {
        params: { path: { ...path, id } },
      }),
    around,
  );
  const free = metrics.filter((one) => !experiment.metrics.some((link) => link.metric === one.id));
  return (
    <Section title="What it is measured by">
      <Refusal error={add.error} />
      {experiment.metrics.length === 0 && (
        <Text size="sm" c="dimmed">
          Nothing yet.
        </Text>
      )}
      {experiment.metrics.length > 0 && (
        <Table>
          <Table.Tbody>
            {experiment.metrics.map((link) => (
              <Table.Tr key={link.id}>
                <Table.Td>{link.metric_name}</Table.Td>
                <Table.Td>
                  <Select
                    aria-label={`What is expected of ${link.metric_name}`}
                    data={EXPECTED}
                    value={link.expected_direction}
                    onChange={(value) =>
                      value && change.mutate({ id: link.id, expected_direction: value as Expected })
                    }
                    allowDeselect={false}
                    disabled={disabled}
                    maw={200}
                  />
                </Table.Td>
                <Table.Td w={50}>
                  <IconButton
                    aria-label={`Measure it no longer by ${link.metric_name}`}
                    onClick={() => remove.mutate(link.id)}
                    disabled={disabled}
                  >
                    <IconTrash size={16} />
                  </IconButton>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {!disabled && (
        <Group align="flex-end" gap="xs">
          <Select
            label="Metric"
            placeholder={free.length > 0 ? "Which one?" : "There is no other"}
            data={free.map((one) => ({ value: String(one.id), label: one.name }))}
            value={metric}
            onChange={setMetric}
            style={{ flex: "1 1 12rem" }}
            maw={320}
          />
          <Select
            label="Expected"
            data={EXPECTED}
            value={expected}
            onChange={(value) => value && setExpected(value as Expected)}
            allowDeselect={false}
            w={180}
          />
          <Button
            variant="default"
            loading={add.isPending}
            disabled={metric === null}
            onClick={() => metric && add.mutate(Number(metric))}
          >
            Add
          </Button>
        </Group>
      )}
    </Section>
  );
}
