import { Code, Stack, Tabs, Text } from "@mantine/core";
import { type Asked, apiUrl, SNIPPETS } from "~/lib/snippets";
import { CodeBlock } from "./copy";

interface SnippetsProps {
  environmentKey: string;
  feature: string;
  identity?: string;
}

/** How each SDK asks for a feature, ready to paste. */
export function Snippets({ environmentKey, feature, identity }: SnippetsProps) {
  const asked: Asked = { key: environmentKey, url: apiUrl(), feature, identity };
  return (
    <Tabs defaultValue="curl" keepMounted={false}>
      <Tabs.List>
        {SNIPPETS.map((snippet) => (
          <Tabs.Tab key={snippet.name} value={snippet.name}>
            {snippet.name}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {SNIPPETS.map((snippet) => (
        <Tabs.Panel key={snippet.name} value={snippet.name} pt="md">
          <Stack gap="xs">
            {snippet.install && (
              <Text size="sm" c="dimmed">
                <Code>{snippet.install}</Code>
              </Text>
            )}
            <CodeBlock code={snippet.code(asked)} />
          </Stack>
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
