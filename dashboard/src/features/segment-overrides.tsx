/** Segment overrides of a flag, in order: the first segment an identity is in decides. Dragged by mouse or keyboard. */
import {
  closestCenter,
  DndContext,
  type DragEndEvent,
  KeyboardSensor,
  PointerSensor,
  useSensor,
  useSensors,
} from "@dnd-kit/core";
import {
  arrayMove,
  SortableContext,
  sortableKeyboardCoordinates,
  useSortable,
  verticalListSortingStrategy,
} from "@dnd-kit/sortable";
import { CSS } from "@dnd-kit/utilities";
import { Accordion, Badge, Box, Group, Paper, Select, Stack, Text } from "@mantine/core";
import { IconFilter, IconGripVertical, IconTrash } from "@tabler/icons-react";
import type { Schema } from "~/api/client";
import { IconButton } from "~/parts/icon-button";
import { Empty } from "~/parts/states";
import { Value } from "~/parts/value";
import type { Draft, Override } from "./draft";
import { StateEditor } from "./state-editor";

type Option = Schema<"OptionView">;

interface RowProps {
  override: Override;
  name: string;
  place: number;
  options: Option[];
  onChange: (override: Override) => void;
  onRemove: () => void;
  disabled: boolean;
}

function Row({ override, name, place, options, onChange, onRemove, disabled }: RowProps) {
  const { attributes, listeners, setNodeRef, transform, transition, isDragging } = useSortable({
    id: override.segment,
    disabled,
  });
  return (
    <Paper
      ref={setNodeRef}
      shadow={isDragging ? "md" : undefined}
      style={{
        transform: CSS.Translate.toString(transform),
        transition,
        position: "relative",
        zIndex: isDragging ? 2 : undefined,
      }}
    >
      <Group gap={0} wrap="nowrap" align="flex-start">
        <IconButton
          {...attributes}
          {...listeners}
          mt={10}
          ml={6}
          size="lg"
          disabled={disabled}
          aria-label={`Move ${name}, place ${place}`}
          style={{ cursor: "grab", touchAction: "none" }}
        >
          <IconGripVertical size={18} />
        </IconButton>
        <Accordion
          variant="filled"
          style={{ flex: 1, minWidth: 0 }}
          styles={{ item: { background: "transparent" } }}
        >
          <Accordion.Item value="state">
            <Accordion.Control>
              <Group gap="sm" wrap="nowrap">
                <Badge variant="default" circle>
                  {place}
                </Badge>
                <Text fw={600} size="sm" truncate>
                  {name}
                </Text>
                <Badge color={override.enabled ? "teal" : "gray"}>{override.enabled ? "on" : "off"}</Badge>
                <Box visibleFrom="sm" style={{ minWidth: 0 }}>
                  <Value value={override.value} />
                </Box>
              </Group>
            </Accordion.Control>
            <Accordion.Panel>
              <StateEditor
                state={override}
                onChange={onChange}
                options={options}
                label={`On for ${name}`}
                disabled={disabled}
              />
            </Accordion.Panel>
          </Accordion.Item>
        </Accordion>
        <IconButton
          mt={10}
          mr={8}
          size="lg"
          onClick={onRemove}
          disabled={disabled}
          aria-label={`Remove the override for ${name}`}
        >
          <IconTrash size={16} />
        </IconButton>
      </Group>
    </Paper>
  );
}

interface SegmentOverridesProps {
  draft: Draft;
  onChange: (draft: Draft) => void;
  feature: Pick<Schema<"FeatureView">, "id" | "multivariate_options">;
  segments: Schema<"SegmentView">[];
  disabled: boolean;
}

export function SegmentOverrides({ draft, onChange, feature, segments, disabled }: SegmentOverridesProps) {
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const names = new Map(segments.map((segment) => [segment.id, segment.name]));
  const used = new Set(draft.overrides.map((override) => override.segment));
  const free = segments.filter(
    (segment) => !used.has(segment.id) && (segment.feature === null || segment.feature === feature.id),
  );
  const set = (overrides: Override[]) => onChange({ ...draft, overrides });
  const add = (segment: number) => {
    const weights = Object.fromEntries(
      feature.multivariate_options.map((option) => [option.id, draft.weights[option.id] ?? 0]),
    );
    set([...draft.overrides, { segment, enabled: true, value: draft.value, weights }]);
  };
  const drop = ({ active, over }: DragEndEvent) => {
    const place = (id: unknown) => draft.overrides.findIndex((override) => override.segment === id);
    if (over && active.id !== over.id) set(arrayMove(draft.overrides, place(active.id), place(over.id)));
  };
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <Text size="sm" c="dimmed" style={{ flex: "1 1 16rem" }}>
          The first segment in this list that an identity is in decides what it gets. Drag to change the
          order, or use the space bar and the arrow keys.
        </Text>
        {!disabled && (
          <Select
            aria-label="Add an override for a segment"
            placeholder="Add an override for …"
            searchable
            data={free.map((segment) => ({ value: String(segment.id), label: segment.name }))}
            value={null}
            onChange={(id) => id && add(Number(id))}
            nothingFoundMessage="No other segment"
            w={260}
          />
        )}
      </Group>
      {draft.overrides.length === 0 && (
        <Empty icon={<IconFilter />} title="The same for every segment">
          An override gives the identities of a segment another state or value.
        </Empty>
      )}
      <DndContext sensors={sensors} collisionDetection={closestCenter} onDragEnd={drop}>
        <SortableContext
          items={draft.overrides.map((override) => override.segment)}
          strategy={verticalListSortingStrategy}
        >
          <Stack gap="xs">
            {draft.overrides.map((override, index) => (
              <Row
                key={override.segment}
                override={override}
                name={names.get(override.segment) ?? `Segment ${override.segment}`}
                place={index + 1}
                options={feature.multivariate_options}
                onChange={(changed) => set(draft.overrides.map((one, at) => (at === index ? changed : one)))}
                onRemove={() => set(draft.overrides.filter((_, at) => at !== index))}
                disabled={disabled}
              />
            ))}
          </Stack>
        </SortableContext>
      </DndContext>
    </Stack>
  );
}
