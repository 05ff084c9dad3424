/** What experiments of an environment can be measured by. */
import { Badge, Button, Group, Modal, Select, Stack, Table, Text, Textarea, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconRuler2 } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http, type Schema } from "~/api/client";
import { Confirm } from "~/parts/confirm";
import { RowActions } from "~/parts/row-actions";
import { Section } from "~/parts/section";
import { Empty, Loaded } from "~/parts/states";
import { about, Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";

type Metric = Schema<"ExperimentMetricDefinition">;
type Aggregation = Schema<"Aggregation">;
type Direction = Schema<"Direction">;

export const METRICS = "/api/v1/environments/{environment_key}/experiment-metrics/";

const AGGREGATIONS: { value: Aggregation; label: string }[] = [
  { value: "occurrence", label: "Whether it happened" },
  { value: "count", label: "How often it happened" },
  { value: "sum", label: "The sum of a property" },
  { value: "mean", label: "The mean of a property" },
];

const DIRECTIONS: { value: Direction; label: string }[] = [
  { value: "up", label: "More is better" },
  { value: "down", label: "Less is better" },
  { value: "informational", label: "Neither: it is only told" },
];

export function useMetrics(environment: string) {
  return api.useQuery("get", METRICS, {
    params: { path: { environment_key: environment }, query: ALL },
  });
}

function needsProperty(aggregation: Aggregation): boolean {
  return aggregation === "sum" || aggregation === "mean";
}

function MetricForm({ metric, onClose }: { metric?: Metric; onClose: () => void }) {
  const { environment } = usePlace();
  const known = (metric?.definition ?? {}) as Record<string, unknown>;
  const [name, setName] = useState(metric?.name ?? "");
  const [description, setDescription] = useState(metric?.description ?? "");
  const [aggregation, setAggregation] = useState<Aggregation>(metric?.aggregation ?? "occurrence");
  const [direction, setDirection] = useState<Direction>(metric?.direction ?? "up");
  const [event, setEvent] = useState(String(known.event ?? ""));
  const [property, setProperty] = useState(String(known.property ?? ""));
  const save = useAct(
    () => {
      const { property: _, ...rest } = known;
      const definition = {
        ...rest,
        event: event.trim(),
        ...(needsProperty(aggregation) && { property: property.trim() }),
      };
      const body = { name: name.trim(), description, aggregation, direction, definition };
      const path = { environment_key: environment.api_key };
      return metric
        ? http.PUT("/api/v1/environments/{environment_key}/experiment-metrics/{id}/", {
            params: { path: { ...path, id: metric.id } },
            body,
          })
        : http.POST(METRICS, { params: { path }, body });
    },
    { quiet: true, changes: [METRICS], done: `${name} is saved.`, after: onClose },
  );
  return (
    <form
      onSubmit={(submitted) => {
        submitted.preventDefault();
        save.mutate();
      }}
    >
      <Stack>
        <Refusal error={save.error} fields={["name", "description", "aggregation", "direction"]} />
        <TextInput
          label="Name"
          required
          data-autofocus
          value={name}
          onChange={(input) => setName(input.currentTarget.value)}
          error={about(save.error, "name")}
        />
        <TextInput
          label="Event"
          description="What programs call it when it happens"
          placeholder="purchase"
          required
          value={event}
          onChange={(input) => setEvent(input.currentTarget.value)}
        />
        <Select
          label="What counts"
          data={AGGREGATIONS}
          value={aggregation}
          onChange={(value) => value && setAggregation(value as Aggregation)}
          allowDeselect={false}
          error={about(save.error, "aggregation")}
        />
        {needsProperty(aggregation) && (
          <TextInput
            label="Property of the event"
            placeholder="amount"
            required
            value={property}
            onChange={(input) => setProperty(input.currentTarget.value)}
          />
        )}
        <Select
          label="What is better"
          data={DIRECTIONS}
          value={direction}
          onChange={(value) => value && setDirection(value as Direction)}
          allowDeselect={false}
          error={about(save.error, "direction")}
        />
        <Textarea
          label="Description"
          autosize
          value={description}
          onChange={(input) => setDescription(input.currentTarget.value)}
          error={about(save.error, "description")}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending} disabled={!name.trim() || !event.trim()}>
            {metric ? "Save the metric" : "Create metric"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function Metrics() {
  const { environment } = usePlace();
  const query = useMetrics(environment.api_key);
  const [opened, { open, close }] = useDisclosure();
  const [edited, setEdited] = useState<Metric>();
  const [removed, setRemoved] = useState<Metric>();
  const remove = useAct(
    (metric: Metric) =>
      http.DELETE("/api/v1/environments/{environment_key}/experiment-metrics/{id}/", {
        params: { path: { environment_key: environment.api_key, id: metric.id } },
      }),
    { quiet: true, changes: [METRICS], done: "The metric is gone." },
  );
  const edit = (metric?: Metric) => {
    setEdited(metric);
    open();
  };
  const create = (
    <Button variant="light" size="xs" leftSection={<IconPlus size={14} />} onClick={() => edit()}>
      New metric
    </Button>
  );
  return (
    <Section title="Metrics" description="What experiments can be measured by." actions={create}>
      <Loaded query={query} rows={2}>
        {({ results }) =>
          results.length === 0 ? (
            <Empty icon={<IconRuler2 />} title="No metrics yet">
              A metric is what counts as success: a purchase, a sign-up, how much was spent.
            </Empty>
          ) : (
            <Table>
              <Table.Tbody>
                {results.map((metric) => (
                  <Table.Tr key={metric.id}>
                    <Table.Td>
                      <Text size="sm" fw={600}>
                        {metric.name}
                      </Text>
                      <Text size="xs" c="dimmed">
                        {AGGREGATIONS.find((one) => one.value === metric.aggregation)?.label} ·{" "}
                        {DIRECTIONS.find((one) => one.value === metric.direction)?.label}
                      </Text>
                    </Table.Td>
                    <Table.Td visibleFrom="sm">
                      <Group gap={6}>
                        {metric.experiments.map((one) => (
                          <Badge key={one.id} color="gray">
                            {one.name}
                          </Badge>
                        ))}
                      </Group>
                    </Table.Td>
                    <Table.Td w={90}>
                      <RowActions
                        edit={{ label: `Edit the metric ${metric.name}`, act: () => edit(metric) }}
                        remove={{ label: `Delete the metric ${metric.name}`, act: () => setRemoved(metric) }}
                      />
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )
        }
      </Loaded>
      <Modal opened={opened} onClose={close} title={edited ? "Edit the metric" : "New metric"}>
        <MetricForm metric={edited} onClose={close} />
      </Modal>
      <Confirm
        opened={removed !== undefined}
        onClose={() => setRemoved(undefined)}
        title="Delete the metric"
        name={removed?.name}
        onConfirm={async () => removed && remove.mutateAsync(removed)}
      >
        Experiments are not measured by it any more.
      </Confirm>
    </Section>
  );
}
