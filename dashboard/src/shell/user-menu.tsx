import { Avatar, Menu, Text, UnstyledButton } from "@mantine/core";
import { IconApi, IconLogout, IconUser } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { api } from "~/api/client";
import { nameOf } from "~/parts/person";
import { signOut } from "~/session/sign-out";

export function useMe() {
  return api.useQuery("get", "/api/v1/auth/users/me/", {}, { staleTime: 60_000 });
}

export function UserMenu() {
  const me = useMe();
  const navigate = useNavigate();
  const name = me.data ? nameOf(me.data) : "";
  return (
    <Menu width={240} position="bottom-end">
      <Menu.Target>
        <UnstyledButton aria-label="Your account">
          <Avatar size={32} radius="xl" name={name} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600} truncate>
            {name}
          </Text>
          {me.data?.email !== name && <Text size="xs">{me.data?.email}</Text>}
        </Menu.Label>
        <Menu.Item leftSection={<IconUser size={16} />} onClick={() => navigate({ to: "/account" })}>
          Account
        </Menu.Item>
        <Menu.Item leftSection={<IconApi size={16} />} component="a" href="/api/v1/docs/" target="_blank">
          API reference
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => signOut()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
