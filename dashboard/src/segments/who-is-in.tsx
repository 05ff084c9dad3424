/** Which of the stored identities are in a segment now: how many, and some of them by name. */
import { Alert, Group, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Schema } from "~/api/client";
import { Evaluated } from "~/impact/preview";
import { all, isExact, sentence, words } from "~/impact/words";
import { useEnvironmentMay } from "~/lib/permissions";
import { Section } from "~/parts/section";
import { usePlace } from "~/shell/place";
import { rulesOf, toBody } from "./rules";

type Impact = Schema<"ImpactView">;

interface WhoIsInProps {
  segment: Schema<"SegmentView">;
  /** Whether members are named as well, which rules do not tell of. */
  hasList: boolean;
}

/** Whoever would join a segment with the same rules, if it were made now, is in this one by its rules. */
export function WhoIsIn({ segment, hasList }: WhoIsInProps) {
  const { environment } = usePlace();
  const may = useEnvironmentMay(environment.api_key);
  if (!may("VIEW_IDENTITIES") || segment.rules.length === 0) return null;
  return (
    <Section
      title="Its members now"
      description={
        hasList
          ? "Stored identities for whom the saved rules hold; who is on a list is looked up there."
          : "Stored identities for whom the saved rules hold."
      }
    >
      <Evaluated
        proposal={{ segments: [{ name: segment.name, rules: toBody(rulesOf(segment.rules)) }] }}
        label="Show its members"
        region="Members"
      >
        {(impact) => <Members impact={impact} />}
      </Evaluated>
    </Section>
  );
}

function Members({ impact }: { impact: Impact }) {
  const { project, environment } = usePlace();
  const [found] = impact.segments;
  if (impact.identities === 0 || !found)
    return <Alert color="gray">No identities are stored here yet, so there is nobody to count.</Alert>;
  const { after } = found;
  const members = impact.sample.filter((one) => one.joining.length > 0);
  return (
    <Stack gap="xs">
      <Text fw={600} role="status">
        {sentence(`${words(after)} of ${all(impact.identities)} identities are in it.`)}
      </Text>
      {members.length > 0 && (
        <>
          <Text size="xs" c="dimmed">
            {isExact(after) && after.count <= members.length ? "These:" : "Some of them, drawn at random:"}
          </Text>
          <Group component="ul" gap="xs" p={0} m={0} style={{ listStyle: "none" }}>
            {members.map((member) => (
              <li key={member.id}>
                <Link
                  className="row-link"
                  style={{ overflowWrap: "anywhere" }}
                  to="/project/$project/environment/$environment/identities/$identity"
                  params={{
                    project: String(project.id),
                    environment: environment.api_key,
                    identity: String(member.id),
                  }}
                >
                  {member.identifier}
                </Link>
              </li>
            ))}
          </Group>
        </>
      )}
    </Stack>
  );
}
