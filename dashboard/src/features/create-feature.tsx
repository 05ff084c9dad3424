/** Makes a feature, with its first value in every environment. */
import {
  Button,
  Group,
  Modal,
  MultiSelect,
  NumberInput,
  Stack,
  Switch,
  Textarea,
  TextInput,
} from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { toTyped, type Value } from "~/lib/value";
import { toMetadata, type Values } from "~/metadata/fields";
import { Metadata } from "~/metadata/values";
import { Form } from "~/parts/form";
import { IconButton } from "~/parts/icon-button";
import { ValueEditor } from "~/parts/value-editor";
import { useTags } from "~/projects/tags";
import { about, Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";
import { FLAG_PATHS } from "./use-toggle";

interface Variation {
  id: number;
  value: string;
  share: number;
}

function Variations({
  variations,
  onChange,
}: {
  variations: Variation[];
  onChange: (variations: Variation[]) => void;
}) {
  const rest = 100 - variations.reduce((sum, variation) => sum + variation.share, 0);
  const set = (id: number, change: Partial<Variation>) =>
    onChange(variations.map((one) => (one.id === id ? { ...one, ...change } : one)));
  return (
    <Stack gap="xs">
      {variations.map((variation, index) => (
        <Group key={variation.id} gap="xs" wrap="nowrap" align="flex-end">
          <TextInput
            label={index === 0 ? "Variation" : undefined}
            aria-label={`Variation ${index + 1}`}
            value={variation.value}
            onChange={(event) => set(variation.id, { value: event.currentTarget.value })}
            style={{ flex: 1 }}
          />
          <NumberInput
            label={index === 0 ? "Share" : undefined}
            aria-label={`Share of variation ${index + 1}`}
            suffix=" %"
            min={0}
            max={100}
            w={100}
            value={variation.share}
            onChange={(share) => set(variation.id, { share: Number(share) || 0 })}
          />
          <IconButton
            aria-label={`Remove variation ${index + 1}`}
            size="lg"
            onClick={() => onChange(variations.filter((one) => one.id !== variation.id))}
          >
            <IconTrash size={16} />
          </IconButton>
        </Group>
      ))}
      <Group justify="space-between">
        <Button
          variant="subtle"
          size="xs"
          leftSection={<IconPlus size={14} />}
          onClick={() => onChange([...variations, { id: Date.now(), value: "", share: 0 }])}
        >
          Add a variation
        </Button>
        {variations.length > 0 &&
          (rest < 0 ? "More than 100 % is given away." : `The value itself: ${rest} %`)}
      </Group>
    </Stack>
  );
}

export function CreateFeature({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { project, environment } = usePlace();
  const navigate = useNavigate();
  const tags = useTags(project.id).data?.results ?? [];
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [value, setValue] = useState<Value>(null);
  const [enabled, setEnabled] = useState(false);
  const [chosen, setChosen] = useState<string[]>([]);
  const [variations, setVariations] = useState<Variation[]>([]);
  const [said, setSaid] = useState<Values>({});
  const body = (): Schema<"NewFeatureBody"> => ({
    name: name.trim(),
    description,
    default_enabled: enabled,
    // Kept as text, and served as what it looks like where a number or a truth value was chosen.
    initial_value: value === null ? null : String(value),
    tags: chosen.map(Number),
    metadata: toMetadata(said),
    ...(variations.length > 0 && {
      type: "MULTIVARIATE" as const,
      multivariate_options: variations.map((one) => ({
        ...toTyped(one.value),
        default_percentage_allocation: one.share,
      })),
    }),
  });
  const create = useAct(
    () =>
      http.POST("/api/v1/projects/{project_id}/features/", {
        params: { path: { project_id: project.id } },
        body: body(),
      }),
    {
      quiet: true,
      changes: FLAG_PATHS,
      done: `${name} is created.`,
      after: (feature) => {
        onClose();
        return navigate({
          to: "/project/$project/environment/$environment/features/$feature",
          params: {
            project: String(project.id),
            environment: environment.api_key,
            feature: String(feature.id),
          },
        });
      },
    },
  );
  const lower = project.only_allow_lower_case_feature_names;
  const total = variations.reduce((sum, one) => sum + one.share, 0);
  return (
    <Modal opened={opened} onClose={onClose} title="New feature" size="lg">
      <Form onSubmit={() => create.mutate()}>
        <Refusal error={create.error} fields={["name", "description"]} />
        <TextInput
          label="Name"
          description="What programs ask for. It can't be changed later."
          placeholder="new_checkout"
          required
          data-autofocus
          value={name}
          onChange={(event) => {
            const typed = event.currentTarget.value.replaceAll(" ", "_");
            setName(lower ? typed.toLowerCase() : typed);
          }}
          error={about(create.error, "name")}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        />
        <Textarea
          label="Description"
          autosize
          minRows={1}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
          error={about(create.error, "description")}
        />
        <Switch
          label="On from the start"
          description="In every environment. Each has its own switch afterwards."
          checked={enabled}
          onChange={(event) => setEnabled(event.currentTarget.checked)}
        />
        <ValueEditor
          value={value}
          onChange={setValue}
          description="Leave it empty for a flag that is only on or off."
        />
        <Variations variations={variations} onChange={setVariations} />
        <MultiSelect
          label="Tags"
          data={tags.map((tag) => ({ value: String(tag.id), label: tag.label }))}
          value={chosen}
          onChange={setChosen}
          searchable
        />
        <Metadata project={project.id} entity="feature" values={said} onChange={setSaid} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={create.isPending} disabled={!name.trim() || total > 100}>
            Create feature
          </Button>
        </Group>
      </Form>
    </Modal>
  );
}
