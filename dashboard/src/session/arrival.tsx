/** Coming back from a provider: what it gave is exchanged for a session. */
import { Loader, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { useAct } from "~/api/act";
import { Door, DoorLink } from "./door";
import { useEnter } from "./enter";
import { Refusal } from "./refusal";
import { SecondFactor } from "./second-factor";

type Answer = { key?: string; ephemeral_token?: string } | undefined;

interface ArrivalProps {
  /** What the provider gave; `null` where it gave nothing, or it is not this browser's. */
  given: string | null;
  exchange: (given: string) => Promise<{ data?: unknown }>;
}

// What was given is good for one exchange, also where React mounts a component twice.
const used = new Set<string>();

export function Arrival({ given, exchange }: ArrivalProps) {
  const enter = useEnter();
  const [secondFactor, setSecondFactor] = useState<string>();
  const { mutate, error } = useAct<string, unknown>(exchange, {
    quiet: true,
    after: (output) => {
      const answer = output as Answer;
      if (answer?.ephemeral_token) setSecondFactor(answer.ephemeral_token);
      else return enter(answer?.key);
    },
  });
  useEffect(() => {
    if (given && !used.has(given)) {
      used.add(given);
      mutate(given);
    }
  }, [given, mutate]);
  const footer = <DoorLink to="/login">Back to signing in</DoorLink>;
  if (secondFactor) {
    return (
      <Door title="One more step">
        <SecondFactor token={secondFactor} onKey={(key) => enter(key)} />
      </Door>
    );
  }
  if (!given || error) {
    return (
      <Door title="Signing in did not work" footer={footer}>
        <Refusal
          error={error ?? new Error("The provider sent nothing that belongs to this browser's attempt.")}
        />
      </Door>
    );
  }
  return (
    <Door title="Signing in">
      <Stack align="center">
        <Loader />
        <Text size="sm" c="dimmed" role="status">
          A moment …
        </Text>
      </Stack>
    </Door>
  );
}
