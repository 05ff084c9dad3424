/** The page in place of all others while the installation is worked on. */
import { Button, Center } from "@mantine/core";
import { IconTool } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Empty } from "~/parts/states";
import { signOut } from "~/session/sign-out";
import { useMe } from "~/shell/user-menu";
import { useIsOn, useOverrides } from "./client";

/** What is inside, except for those who have to wait. Superusers work on it. */
export function Maintenance({ children }: { children: ReactNode }) {
  const isOn = useIsOn("maintenance_mode");
  const { maintenance } = useOverrides();
  const me = useMe().data;
  if (!(isOn || maintenance) || me === undefined || me.is_superuser) return children;
  return (
    <Center mih="100dvh" component="main">
      <Empty
        icon={<IconTool />}
        title="This is being worked on"
        action={
          <Button variant="default" onClick={() => signOut()}>
            Sign out
          </Button>
        }
      >
        The dashboard is back soon. Programs are served their flags as ever.
      </Empty>
    </Center>
  );
}
