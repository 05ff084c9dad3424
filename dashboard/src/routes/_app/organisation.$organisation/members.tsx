import { Badge, Box, Group, Select, Stack, Text } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { ADMIN, useOrganisationMay } from "~/lib/permissions";
import { Invitations, InviteLinks, ROLES } from "~/organisation/invite";
import { type Member, useMembers } from "~/organisation/members";
import { useHasInviteLinks } from "~/own-flags/organisations";
import { Confirm } from "~/parts/confirm";
import { IconButton } from "~/parts/icon-button";
import { Page } from "~/parts/page";
import { Person } from "~/parts/person";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { Time } from "~/parts/time";
import { useMe } from "~/shell/user-menu";

export const Route = createFileRoute("/_app/organisation/$organisation/members")({ component: Members });

const CHANGED = ["/api/v1/organisations/"];

function Members() {
  const organisation = Number(Route.useParams().organisation);
  const isAdmin = useOrganisationMay(organisation)(ADMIN);
  const hasLinks = useHasInviteLinks(organisation, isAdmin);
  const me = useMe().data;
  const query = useMembers(organisation);
  const [removed, setRemoved] = useState<Member>();
  const path = { organisation_id: organisation };
  const setRole = useAct(
    ({ id, role }: { id: number; role: "ADMIN" | "USER" }) =>
      http.POST("/api/v1/organisations/{organisation_id}/users/{user_id}/update-role/", {
        params: { path: { ...path, user_id: id } },
        body: { role },
      }),
    { changes: CHANGED, done: "Saved." },
  );
  const remove = useAct(
    (member: Member) =>
      http.POST("/api/v1/organisations/{organisation_id}/remove-users/", {
        params: { path },
        body: [{ id: member.id }],
      }),
    { quiet: true, changes: CHANGED, done: "They are no member any more." },
  );
  return (
    <Page
      title="Members"
      description="Who works in this organisation. Administrators may do everything in it."
    >
      <Section>
        <Loaded query={query}>
          {(members) => (
            <Stack gap="md">
              {members.map((member) => (
                <Group key={member.id} justify="space-between">
                  <Box style={{ flex: "1 1 14rem", minWidth: 0 }}>
                    <Person person={member} />
                  </Box>
                  <Text size="sm" c="dimmed" visibleFrom="md">
                    seen <Time at={member.last_login} />
                  </Text>
                  <Group gap="xs" wrap="nowrap">
                    {isAdmin ? (
                      <Select
                        aria-label={`Role of ${member.email}`}
                        w={160}
                        data={ROLES}
                        value={member.role}
                        onChange={(role) =>
                          role && setRole.mutate({ id: member.id, role: role as "ADMIN" | "USER" })
                        }
                        allowDeselect={false}
                      />
                    ) : (
                      <Badge>{ROLES.find((role) => role.value === member.role)?.label}</Badge>
                    )}
                    {isAdmin && (
                      <IconButton
                        aria-label={`Remove ${member.email}`}
                        onClick={() => setRemoved(member)}
                        style={{ visibility: member.id === me?.id ? "hidden" : undefined }}
                      >
                        <IconTrash size={16} />
                      </IconButton>
                    )}
                  </Group>
                </Group>
              ))}
            </Stack>
          )}
        </Loaded>
      </Section>
      {isAdmin && <Invitations organisation={organisation} />}
      {isAdmin && hasLinks && <InviteLinks organisation={organisation} />}
      <Confirm
        opened={removed !== undefined}
        onClose={() => setRemoved(undefined)}
        title="Remove the member"
        name={removed?.email}
        action="Remove"
        onConfirm={async () => removed && remove.mutateAsync(removed)}
      >
        They can't see anything of this organisation any more. Their account stays.
      </Confirm>
    </Page>
  );
}
