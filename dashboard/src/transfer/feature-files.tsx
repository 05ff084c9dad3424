/** The features of one environment as a file: exports that were asked for, and imports. */
import {
  Badge,
  Button,
  FileInput,
  Group,
  MultiSelect,
  Radio,
  Select,
  Stack,
  Table,
  Text,
} from "@mantine/core";
import { IconDownload, IconFileUpload } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
import { save } from "~/api/files";
import { TypedName } from "~/parts/confirm";
import { Form } from "~/parts/form";
import { IconButton } from "~/parts/icon-button";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { Time } from "~/parts/time";
import { useTags } from "~/projects/tags";
import { Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";

const EXPORTS = "/api/v1/projects/{project_id}/feature-exports/";
const IMPORTS = "/api/v1/projects/{project_id}/feature-imports/";
const SHOWN = { page_size: 10 };

type Status = Schema<"FeatureFileStatus">;
type Strategy = Schema<"ImportStrategy">;

const STATUSES: Record<Status, { label: string; color: string }> = {
  SUCCESS: { label: "done", color: "teal" },
  PROCESSING: { label: "at work", color: "gray" },
  FAILED: { label: "failed", color: "red" },
};

const STRATEGIES: { value: Strategy; label: string; description: string }[] = [
  { value: "SKIP", label: "Leave as they are", description: "Only features that are not there are made." },
  {
    value: "OVERWRITE_DESTRUCTIVE",
    label: "Make anew",
    description:
      "They are deleted and made as in the file: their overrides and history go, in every environment.",
  },
];

/** Asks again while something is still at work. */
function whileAtWork(query: { state: { data?: { results: { status: Status }[] } } }): number | false {
  return query.state.data?.results.some((one) => one.status === "PROCESSING") ? 1000 : false;
}

function StatusBadge({ status }: { status: Status }) {
  return <Badge color={STATUSES[status].color}>{STATUSES[status].label}</Badge>;
}

function EnvironmentSelect({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { environments } = usePlace();
  return (
    <Select
      label="Environment"
      data={environments.map((one) => ({ value: String(one.id), label: one.name }))}
      value={value}
      onChange={(next) => next && onChange(next)}
      allowDeselect={false}
      maw={320}
    />
  );
}

interface PastFile {
  id: number;
  environment_id: number;
  status: Status;
  created_at: string;
}

interface PastProps<File extends PastFile> {
  query: { data: { results: File[] } | undefined; error: unknown; refetch?: () => unknown };
  action?: (file: File) => ReactNode;
}

/** The files that were written or taken in lately: of which environment, and how far they are. */
function Past<File extends PastFile>({ query, action }: PastProps<File>) {
  const { environments } = usePlace();
  return (
    <Loaded query={query} rows={1}>
      {({ results }) =>
        results.length > 0 && (
          <Table>
            <Table.Tbody>
              {results.map((one) => (
                <Table.Tr key={one.id}>
                  <Table.Td>
                    {environments.find((place) => place.id === one.environment_id)?.name}
                    <Text size="xs" c="dimmed">
                      <Time at={one.created_at} />
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <StatusBadge status={one.status} />
                  </Table.Td>
                  {action && <Table.Td ta="right">{action(one)}</Table.Td>}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )
      }
    </Loaded>
  );
}

export function FeatureExports() {
  const { project, environment } = usePlace();
  const tags = useTags(project.id).data?.results ?? [];
  const [from, setFrom] = useState(String(environment.id));
  const [chosen, setChosen] = useState<string[]>([]);
  const query = api.useQuery(
    "get",
    EXPORTS,
    { params: { path: { project_id: project.id }, query: SHOWN } },
    { refetchInterval: whileAtWork },
  );
  const ask = useAct(
    () =>
      http.POST("/api/v1/features/create-feature-export/", {
        body: { environment_id: Number(from), tag_ids: chosen.map(Number) },
      }),
    { quiet: true, changes: [EXPORTS] },
  );
  const download = useAct(async ({ id, name }: Schema<"FeatureExportView">) => {
    const { data } = await http.GET("/api/v1/features/download-feature-export/{id}/", {
      params: { path: { id } },
      parseAs: "blob",
    });
    save(data as unknown as Blob, name.endsWith(".json") ? name : `${name}.json`);
  });
  return (
    <Section
      title="Features of one environment, as a file"
      description="Names, values and variations, for another environment or another project."
    >
      <Refusal error={ask.error} />
      <EnvironmentSelect value={from} onChange={setFrom} />
      <MultiSelect
        label="Only those with one of these tags"
        placeholder={chosen.length === 0 ? "all features" : undefined}
        data={tags.map((tag) => ({ value: String(tag.id), label: tag.label }))}
        value={chosen}
        onChange={setChosen}
        maw={480}
      />
      <Group>
        <Button loading={ask.isPending} onClick={() => ask.mutate()}>
          Export the features
        </Button>
      </Group>
      <Past
        query={query}
        action={(one) => (
          <IconButton
            aria-label={`Download ${one.name}`}
            disabled={one.status !== "SUCCESS"}
            loading={download.isPending && download.variables?.id === one.id}
            onClick={() => download.mutate(one)}
          >
            <IconDownload size={16} />
          </IconButton>
        )}
      />
    </Section>
  );
}

function form(body: { file: unknown; strategy: string }): FormData {
  const data = new FormData();
  data.set("file", body.file as File);
  data.set("strategy", body.strategy);
  return data;
}

export function FeatureImports() {
  const { project, environment } = usePlace();
  const [into, setInto] = useState(String(environment.id));
  const [file, setFile] = useState<File | null>(null);
  const [strategy, setStrategy] = useState<Strategy>("SKIP");
  const [typed, setTyped] = useState("");
  const query = api.useQuery(
    "get",
    IMPORTS,
    { params: { path: { project_id: project.id }, query: SHOWN } },
    { refetchInterval: whileAtWork },
  );
  const send = useAct(
    () =>
      http.POST("/api/v1/features/feature-import/{environment_id}/", {
        params: { path: { environment_id: Number(into) } },
        // The document calls the file a text, for want of a word for files.
        body: { file: file as never, strategy },
        bodySerializer: form,
      }),
    {
      quiet: true,
      changes: [IMPORTS],
      done: "The file is there; its features follow.",
      after: () => {
        setFile(null);
        setTyped("");
      },
    },
  );
  const asksForName = strategy === "OVERWRITE_DESTRUCTIVE";
  return (
    <Section
      title="Import features from a file"
      description="As an export of features has them, up to 1 MB. Values are those of the chosen environment; elsewhere the features begin with their first value."
    >
      <Form onSubmit={() => send.mutate()}>
        <Refusal error={send.error} />
        <FileInput
          label="File of features"
          placeholder="Choose a file"
          leftSection={<IconFileUpload size={16} />}
          accept=".json"
          clearable
          clearButtonProps={{ "aria-label": "Choose no file of features" }}
          value={file}
          onChange={setFile}
          maw={480}
        />
        <EnvironmentSelect value={into} onChange={setInto} />
        <Radio.Group
          label="Features that are there already"
          value={strategy}
          onChange={(value) => setStrategy(value as Strategy)}
        >
          <Stack gap="xs" mt={6}>
            {STRATEGIES.map((one) => (
              <Radio key={one.value} {...one} />
            ))}
          </Stack>
        </Radio.Group>
        {asksForName && <TypedName name={project.name} value={typed} onChange={setTyped} />}
        <Group>
          <Button
            type="submit"
            loading={send.isPending}
            disabled={!file || (asksForName && typed !== project.name)}
          >
            Import the features
          </Button>
        </Group>
      </Form>
      <Past query={query} />
    </Section>
  );
}
