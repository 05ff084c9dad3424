/** The buttons that decide on an open change request: approving it, and publishing what was approved. */
import { Button } from "@mantine/core";
import { IconCheck, IconRocket } from "@tabler/icons-react";

interface Act {
  isPending: boolean;
  mutate: () => void;
}

interface DecideProps {
  /** Whether one may approve it, and has not yet. */
  mayApprove: boolean;
  approve: Act;
  isApproved: boolean;
  publish: Act;
  /** What publishing is called. */
  label?: string;
}

export function Decide({ mayApprove, approve, isApproved, publish, label = "Publish" }: DecideProps) {
  return (
    <>
      {mayApprove && (
        <Button
          variant="light"
          color="teal"
          leftSection={<IconCheck size={16} />}
          loading={approve.isPending}
          onClick={() => approve.mutate()}
        >
          Approve
        </Button>
      )}
      <Button
        leftSection={<IconRocket size={16} />}
        disabled={!isApproved}
        loading={publish.isPending}
        onClick={() => publish.mutate()}
      >
        {label}
      </Button>
    </>
  );
}
