/** Text that is there to be copied. */
import { ActionIcon, Box, Code, CopyButton, Group, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";

export function Copy({ value, label = "Copy" }: { value: string; label?: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : label}>
          <ActionIcon onClick={copy} aria-label={label} color={copied ? "teal" : "gray"}>
            {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

/** A key or an address on one line. */
export function Copyable({ value, label }: { value: string; label?: string }) {
  return (
    <Group gap={4} wrap="nowrap" maw="100%">
      <Code style={{ overflowWrap: "anywhere" }}>{value}</Code>
      <Copy value={value} label={label} />
    </Group>
  );
}

export function CodeBlock({ code, label = "Copy the code" }: { code: string; label?: string }) {
  return (
    <Box pos="relative">
      <Code
        block
        pr={44}
        fz="sm"
        style={{
          whiteSpace: "pre-wrap",
          overflowWrap: "anywhere",
          border: "1px solid var(--burgee-line)",
        }}
      >
        {code}
      </Code>
      <Box pos="absolute" top={6} right={6}>
        <Copy value={code} label={label} />
      </Box>
    </Box>
  );
}
