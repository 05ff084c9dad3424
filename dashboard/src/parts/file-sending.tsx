/** A file that is on its way: how much is there, and that the server is at work afterwards. */
import { Button, Group, Progress, Stack, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";

/** Follows a file on its way, and lets it be stopped. It stops as well when what shows it is closed. */
export function useSending() {
  const [share, setShare] = useState<number>();
  const abort = useRef<AbortController>(null);
  useEffect(() => () => abort.current?.abort(), []);
  return {
    share,
    stop: () => abort.current?.abort(),
    /** Runs `send` with what a sending of a file takes. */
    track: async <Answer,>(
      send: (around: { onProgress: (share: number) => void; signal: AbortSignal }) => Promise<Answer>,
    ): Promise<Answer> => {
      abort.current = new AbortController();
      setShare(0);
      try {
        return await send({ onProgress: setShare, signal: abort.current.signal });
      } finally {
        setShare(undefined);
      }
    },
  };
}

export function Sending({ share, stop }: { share: number | undefined; stop: () => void }) {
  if (share === undefined) return null;
  const isThere = share >= 1;
  return (
    <Stack gap={6}>
      <Group justify="space-between">
        <Text size="sm" role="status">
          {isThere ? "The server takes it in …" : `Sent: ${Math.floor(share * 100)} %`}
        </Text>
        <Button size="compact-xs" variant="subtle" onClick={stop}>
          Stop
        </Button>
      </Group>
      <Progress
        value={share * 100}
        animated={isThere}
        aria-label={isThere ? "The server takes the file in" : "How much of the file is sent"}
      />
    </Stack>
  );
}
