/** Looks at the plan of a sync, or runs it. */
import { Button, Group } from "@mantine/core";
import { IconEye, IconPlayerPlay } from "@tabler/icons-react";
import { useToRun } from "./decision";
import { usePlan, useTrigger } from "./runs";

export function Begin({ organisation, sync }: { organisation: number; sync: string }) {
  const toRun = useToRun(organisation);
  const plan = usePlan(organisation, toRun);
  const trigger = useTrigger(organisation, toRun);
  return (
    <Group gap="xs">
      <Button
        variant="default"
        leftSection={<IconEye size={16} />}
        loading={plan.isPending}
        onClick={() => plan.mutate(sync)}
      >
        Preview the plan
      </Button>
      <Button
        leftSection={<IconPlayerPlay size={16} />}
        loading={trigger.isPending}
        onClick={() => trigger.mutate(sync)}
      >
        Run now
      </Button>
    </Group>
  );
}
