/** A link from a mail: pressing the button does what it is for. Opening it does not: programs that read mail open links. */
import { Button, Stack } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useAct } from "~/api/act";
import { Door, DoorLink } from "./door";
import { Refusal } from "./refusal";

interface ConfirmLinkProps {
  title: string;
  description: string;
  action: string;
  done: string;
  act: () => Promise<unknown>;
}

export function ConfirmLink({ title, description, action, done, act }: ConfirmLinkProps) {
  const navigate = useNavigate();
  const confirm = useAct(act, { quiet: true, done, after: () => navigate({ to: "/" }) });
  return (
    <Door title={title} description={description} footer={<DoorLink to="/login">To signing in</DoorLink>}>
      <Stack>
        <Refusal error={confirm.error} />
        <Button onClick={() => confirm.mutate()} loading={confirm.isPending}>
          {action}
        </Button>
      </Stack>
    </Door>
  );
}
