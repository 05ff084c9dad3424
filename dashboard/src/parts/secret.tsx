/** A secret that is shown this once. */
import { Alert, Button, Modal, Stack, Text } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { CodeBlock } from "./copy";

export function SecretOnce({
  secret,
  onClose,
  title,
}: {
  secret: string | undefined;
  onClose: () => void;
  title: string;
}) {
  return (
    <Modal opened={secret !== undefined} onClose={onClose} title={title} closeOnClickOutside={false}>
      <Stack>
        <Alert icon={<IconKey />} color="yellow">
          <Text size="sm">Copy it now. It is shown only this once and can't be looked up later.</Text>
        </Alert>
        <CodeBlock code={secret ?? ""} label="Copy the secret" />
        <Button onClick={onClose}>I have kept it</Button>
      </Stack>
    </Modal>
  );
}
