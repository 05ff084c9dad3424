/** Takes the file of a project or an organisation in: first a look at what it would do, then the deed. */
import { Button, FileInput, Group } from "@mantine/core";
import { IconFileUpload } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useAct } from "~/api/act";
import { Sending, useSending } from "~/parts/file-sending";
import { Form } from "~/parts/form";
import { Section } from "~/parts/section";
import { Refusal } from "~/session/refusal";
import { ImportReport, type Report } from "./report";

type Around = { onProgress: (share: number) => void; signal: AbortSignal };

interface ImportFileProps {
  title: string;
  description: ReactNode;
  send: (file: File, isDry: boolean, around: Around) => Promise<Report>;
  /** More to say about the file, where there is more, and what is said there. */
  children?: ReactNode;
  said?: string;
}

export function ImportFile({ title, description, send, children, said = "" }: ImportFileProps) {
  const sending = useSending();
  const [file, setFile] = useState<File | null>(null);
  const run = useAct(
    ({ file, isDry }: { file: File; isDry: boolean; said: string }) =>
      sending.track((around) => send(file, isDry, around)),
    { quiet: true, changes: ["/api/v1/"] },
  );
  // What was looked at is what is imported.
  const isChecked = run.data?.dry_run === true && run.variables?.said === said;
  return (
    <Section title={title} description={description}>
      <Form
        onSubmit={() => {
          if (file) run.mutate({ file, isDry: true, said });
        }}
      >
        <FileInput
          label="File"
          placeholder="Choose a file"
          leftSection={<IconFileUpload size={16} />}
          accept=".json,.ndjson"
          clearable
          clearButtonProps={{ "aria-label": "Choose no file" }}
          value={file}
          onChange={(next) => {
            setFile(next);
            run.reset();
          }}
          disabled={run.isPending}
          maw={480}
        />
        {children}
        <Refusal error={run.error} />
        <Sending {...sending} />
        {run.data && <ImportReport report={run.data} />}
        <Group>
          <Button
            type="submit"
            variant={isChecked ? "default" : "filled"}
            loading={run.isPending}
            disabled={!file}
          >
            Look what it would do
          </Button>
          {isChecked && file && (
            <Button loading={run.isPending} onClick={() => run.mutate({ file, isDry: false, said })}>
              Import it
            </Button>
          )}
        </Group>
      </Form>
    </Section>
  );
}
