/** A project or an organisation as one file. */
import { Button, Checkbox, Group, Stack } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { save } from "~/api/files";
import { Section } from "~/parts/section";

export interface Options {
  keys: boolean;
  identities: boolean;
  changes: boolean;
}

interface ExportFileProps {
  title: string;
  description: string;
  /** Whether identities can come along. */
  hasIdentities?: boolean;
  name: (options: Options) => string;
  fetch: (options: Options) => Promise<{ data?: unknown }>;
}

export function ExportFile({ title, description, hasIdentities = false, name, fetch }: ExportFileProps) {
  const [options, setOptions] = useState<Options>({ keys: false, identities: false, changes: false });
  const set = (option: keyof Options) => (event: { currentTarget: { checked: boolean } }) =>
    setOptions({ ...options, [option]: event.currentTarget.checked });
  const download = useAct(async () => {
    const { data } = await fetch(options);
    save(data as Blob, name(options));
  });
  return (
    <Section title={title} description={description}>
      <Stack gap="sm">
        <Checkbox
          label="With the keys of the environments"
          description="So that programs go on elsewhere as they are. Whoever has the file has the keys."
          checked={options.keys}
          onChange={set("keys")}
        />
        {hasIdentities && (
          <Checkbox
            label="With the identities and their traits"
            description="A line each. The file may become large, and holds what your programs told of people."
            checked={options.identities}
            onChange={set("identities")}
          />
        )}
        <Checkbox
          label="With the log of changes"
          description="The newest 100,000 lines, for reading; an import leaves them out."
          checked={options.changes}
          onChange={set("changes")}
        />
        <Group>
          <Button
            leftSection={<IconDownload size={16} />}
            loading={download.isPending}
            onClick={() => download.mutate()}
          >
            Download the file
          </Button>
        </Group>
      </Stack>
    </Section>
  );
}
