/** Sending an example to an address at once, and what came of it. */
import { Alert, Button, Code, Stack, Text } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { ApiError, explain } from "~/api/error";
import type { Owner } from "./calls";

interface TryProps {
  owner: Owner;
  url: string;
  secret: string;
  disabled?: boolean;
}

/** What the receiver said when it did not take the example: its status, and the beginning of its answer. */
function answerOf(error: unknown): { status?: number; excerpt?: string } {
  if (!(error instanceof ApiError) || error.body === null || typeof error.body !== "object") return {};
  const { status, body } = error.body as { status?: unknown; body?: unknown };
  return {
    status: typeof status === "number" && status > 0 ? status : undefined,
    excerpt: typeof body === "string" && body !== "" ? body : undefined,
  };
}

function Refused({ error }: { error: unknown }) {
  const { status, excerpt } = answerOf(error);
  return (
    <Alert w="100%" color="red" role="alert" title={status ? `It answered ${status}` : "It was not taken"}>
      <Stack gap="xs">
        <Text size="sm">{explain(error)}</Text>
        {excerpt && (
          <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
            {excerpt}
          </Code>
        )}
      </Stack>
    </Alert>
  );
}

export function Try({ owner, url, secret, disabled }: TryProps) {
  const send = useAct(
    () => http.POST("/api/v1/webhooks/test/", { body: { webhook_url: url, secret, scope: owner } }),
    { quiet: true },
  );
  return (
    <Stack gap="xs" align="flex-start">
      <Button
        variant="default"
        size="xs"
        leftSection={<IconSend size={14} />}
        loading={send.isPending}
        disabled={disabled}
        onClick={() => send.mutate()}
      >
        Send an example
      </Button>
      {send.data && (
        <Alert w="100%" color="teal" role="status">
          It took the example, with the status {send.data.status}.
        </Alert>
      )}
      {send.error && <Refused error={send.error} />}
    </Stack>
  );
}
