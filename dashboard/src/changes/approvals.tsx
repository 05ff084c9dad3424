/** Who approved a change request, and who was asked to. */
import { Badge, Group, Stack, Text } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import type { Schema } from "~/api/client";
import type { Member } from "~/organisation/members";
import { useIsOn } from "~/own-flags/client";
import { nameOf } from "~/parts/person";
import { Section } from "~/parts/section";
import { Time } from "~/parts/time";

interface ApprovalsProps {
  approvals: Schema<"ApprovalView">[];
  /** How many are needed. */
  needed: number;
  members: Member[];
}

export function Approvals({ approvals, needed, members }: ApprovalsProps) {
  // Who was asked by name may be hidden; who has approved is not.
  const namesAsked = !useIsOn("disable_users_as_reviewers");
  const shown = approvals.filter((approval) => namesAsked || approval.approved_at);
  const given = approvals.filter((approval) => approval.approved_at).length;
  const name = (id: number) => {
    const member = members.find((one) => one.id === id);
    return member ? nameOf(member) : `User ${id}`;
  };
  return (
    <Section title="Approvals" description={`${given} of ${needed} needed`}>
      <Stack gap="xs">
        {shown.map((approval) => (
          <Group key={approval.id} justify="space-between">
            <Text size="sm">{name(approval.user)}</Text>
            {approval.approved_at ? (
              <Badge color="teal" leftSection={<IconCheck size={12} />}>
                <Time at={approval.approved_at} />
              </Badge>
            ) : (
              <Badge color="yellow">asked</Badge>
            )}
          </Group>
        ))}
        {namesAsked && approvals.length === 0 && (
          <Text size="sm" c="dimmed">
            Nobody was asked in particular; everybody with the permission may approve.
          </Text>
        )}
      </Stack>
    </Section>
  );
}
