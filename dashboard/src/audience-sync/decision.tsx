/** What to do with a run: send or drop a plan that is held, stop what is under way. */
import { Button, Group } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { Confirm } from "~/parts/confirm";
import { type Run, useApprove, useDrop, useStop } from "./runs";

/** Goes to a run that has begun. */
export function useToRun(organisation: number) {
  const navigate = useNavigate();
  return (run: Run) =>
    navigate({
      to: "/organisation/$organisation/audience-sync/runs/$run",
      params: { organisation: String(organisation), run: String(run.id) },
    });
}

function changes({ counts }: Run): string {
  const parts = [
    counts.adds > 0 && `add ${counts.adds.toLocaleString()}`,
    counts.updates > 0 && `update ${counts.updates.toLocaleString()}`,
    counts.removes > 0 && `remove ${counts.removes.toLocaleString()}`,
  ];
  return parts.filter(Boolean).join(", ");
}

function HeldDecision({ organisation, run }: { organisation: number; run: Run }) {
  const [approving, approval] = useDisclosure();
  const [dropping, drop] = useDisclosure();
  const approve = useApprove(organisation, useToRun(organisation));
  const discard = useDrop(organisation);
  const mayPass = run.holds.every((hold) => hold.can_be_approved);
  return (
    <Group gap="xs">
      <Button variant="default" onClick={drop.open}>
        Drop it
      </Button>
      <Button color="red" onClick={approval.open} disabled={!mayPass}>
        Approve and send
      </Button>
      <Confirm
        opened={approving}
        onClose={approval.close}
        title={`Send run ${run.id} all the same`}
        name={run.sync}
        action="Approve and send"
        onConfirm={() => approve.mutateAsync(run.id)}
      >
        This will {changes(run)} at the destination. It is sent only if it is still exactly this plan; if the
        model has changed meanwhile, the new plan is held again.
      </Confirm>
      <Confirm
        opened={dropping}
        onClose={drop.close}
        title={`Drop run ${run.id}`}
        action="Drop it"
        onConfirm={() => discard.mutateAsync(run.id)}
      >
        Nothing of it is sent. The next run plans anew.
      </Confirm>
    </Group>
  );
}

function StopButton({ organisation, run }: { organisation: number; run: Run }) {
  const [opened, { open, close }] = useDisclosure();
  const stop = useStop(organisation);
  return (
    <>
      <Button color="red" variant="outline" onClick={open}>
        Stop
      </Button>
      <Confirm
        opened={opened}
        onClose={close}
        title={`Stop run ${run.id}`}
        action="Stop it"
        onConfirm={() => stop.mutateAsync(run.id)}
      >
        What was sent stays as it is. The next run completes what is left.
      </Confirm>
    </>
  );
}

export function Decision({ organisation, run }: { organisation: number; run: Run }) {
  if (run.state === "held") return <HeldDecision organisation={organisation} run={run} />;
  if (run.state === "running") return <StopButton organisation={organisation} run={run} />;
  return null;
}
