/** Everything as one document: to look at, to take out, to change and to put back. */
import {
  Alert,
  Badge,
  Button,
  Checkbox,
  FileButton,
  Group,
  List,
  Stack,
  Text,
  Textarea,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDownload, IconUpload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { download } from "~/lib/download";
import { Confirm } from "~/parts/confirm";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { TextDiff } from "~/parts/text-diff";
import { BASE } from "./objects";
import { problemsOf } from "./problems";
import { General } from "./variant-form";

type Applied = Schema<"AppliedView">;

const DOCUMENT = "/api/v1/organisations/{organisation_id}/audience-sync/document/";

function useDocument(organisation: number) {
  return useQuery({
    queryKey: ["get", DOCUMENT, organisation],
    queryFn: async () => {
      const { data } = await http.GET("/api/v1/organisations/{organisation_id}/audience-sync/document/", {
        params: { path: { organisation_id: organisation } },
        headers: { Accept: "application/yaml" },
        parseAs: "text",
      });
      return String(data);
    },
  });
}

interface Put {
  text: string;
  dry_run: boolean;
  prune: boolean;
}

function put(organisation: number, { text, ...query }: Put) {
  return http.PUT("/api/v1/organisations/{organisation_id}/audience-sync/document/", {
    params: { path: { organisation_id: organisation }, query },
    // The document's own form: what was typed, to the letter.
    body: text as never,
    bodySerializer: () => text,
    headers: { "Content-Type": "application/yaml" },
  });
}

const LISTS = [
  { name: "created", colour: "teal" },
  { name: "updated", colour: "harbour" },
  { name: "deleted", colour: "red" },
] as const;

/** What a document would change, object by object. */
function Changes({ applied }: { applied: Applied }) {
  const lists = LISTS.filter(({ name }) => applied[name].length > 0);
  const same = applied.unchanged.length;
  return (
    <Alert title={lists.length === 0 ? "It would change nothing" : "What it would change"}>
      <Stack gap={6}>
        {lists.map(({ name, colour }) => (
          <Group key={name} gap={6}>
            <Badge color={colour}>{name}</Badge>
            <Text size="sm" style={{ overflowWrap: "anywhere" }}>
              {applied[name].join(", ")}
            </Text>
          </Group>
        ))}
        <Text size="sm" c="dimmed">
          {same === 1 ? "One object stays" : `${same} objects stay`} as it is in the document.
        </Text>
      </Stack>
    </Alert>
  );
}

function Editor({ organisation, current }: { organisation: number; current: string }) {
  const [draft, setDraft] = useState<string>();
  const text = draft ?? current;
  const [prune, setPrune] = useState(false);
  const [comparing, { toggle }] = useDisclosure();
  const [confirming, setConfirming] = useState(false);
  const check = useAct(() => put(organisation, { text, prune, dry_run: true }), { quiet: true });
  const apply = useAct(() => put(organisation, { text, prune, dry_run: false }), {
    quiet: true,
    changes: [BASE],
    done: "The document is in.",
    after: () => change(undefined),
  });
  const change = (next: string | undefined) => {
    setDraft(next);
    check.reset();
    apply.reset();
  };
  const recheck = () => {
    apply.reset();
    check.mutate();
  };
  const isChanged = text !== current;
  const deletes = (check.data?.deleted.length ?? 0) > 0;
  const problems = problemsOf(check.error ?? apply.error, []);
  return (
    <Stack>
      <Group gap="xs">
        <Button
          variant="default"
          leftSection={<IconDownload size={16} />}
          onClick={() => download("audience-sync.yaml", current, "application/yaml")}
        >
          Export
        </Button>
        <FileButton accept=".yaml,.yml,.json" onChange={async (file) => file && change(await file.text())}>
          {(props) => (
            <Button variant="default" leftSection={<IconUpload size={16} />} {...props}>
              Import a file
            </Button>
          )}
        </FileButton>
        {isChanged && (
          <Button variant="subtle" onClick={() => change(undefined)}>
            Back to what is there
          </Button>
        )}
      </Group>
      <Textarea
        aria-label="The document"
        value={text}
        onChange={(event) => change(event.currentTarget.value)}
        autosize
        minRows={12}
        maxRows={32}
        spellCheck={false}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      />
      {isChanged && (
        <>
          <Button
            variant="subtle"
            size="xs"
            style={{ alignSelf: "flex-start" }}
            aria-expanded={comparing}
            onClick={toggle}
          >
            {comparing ? "Hide the differences" : "Show the differences"}
          </Button>
          {comparing && <TextDiff before={current} after={text} />}
        </>
      )}
      <Checkbox
        label="Delete what the document does not have"
        description="Otherwise that stays as it is."
        checked={prune}
        onChange={(event) => {
          setPrune(event.currentTarget.checked);
          check.reset();
        }}
      />
      <General problems={problems.general} />
      {check.data && <Changes applied={check.data} />}
      <Group gap="xs">
        <Button variant="default" loading={check.isPending} onClick={recheck}>
          Check it
        </Button>
        <Button
          loading={apply.isPending}
          disabled={!check.data}
          onClick={() => (deletes ? setConfirming(true) : apply.mutate())}
        >
          Put it in
        </Button>
        {!check.data && (
          <Text size="sm" c="dimmed">
            Checking says what would change, and changes nothing.
          </Text>
        )}
      </Group>
      <Confirm
        opened={confirming}
        onClose={() => setConfirming(false)}
        title="Put the document in"
        name="delete"
        action="Put it in"
        onConfirm={() => apply.mutateAsync()}
      >
        <Text size="sm">These are deleted, syncs with what they remember:</Text>
        <List size="sm">
          {check.data?.deleted.map((place) => (
            <List.Item key={place}>{place}</List.Item>
          ))}
        </List>
      </Confirm>
    </Stack>
  );
}

export function SyncDocument({ organisation }: { organisation: number }) {
  const query = useDocument(organisation);
  return (
    <Section
      title="YAML"
      description="All of it as the file that `burgee sync` reads. Secrets are hidden; a hidden one that is put back stays as it is."
    >
      <Loaded query={query} rows={6}>
        {(current) => <Editor organisation={organisation} current={current} />}
      </Loaded>
    </Section>
  );
}
