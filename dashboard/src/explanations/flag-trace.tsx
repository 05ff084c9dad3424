/** How one flag came about: every state it could have had, strongest first, and what became of each. */
import { Badge, Box, Group, Paper, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Schema } from "~/api/client";
import { asValue, brief } from "~/lib/value";
import { Value } from "~/parts/value";
import { usePlace } from "~/shell/place";
import { BucketBar } from "./bucket-bar";
import { SegmentTrace } from "./segment-trace";

type Flag = Schema<"FlagExplanation">;
type Candidate = Schema<"CandidateExplanation">;
type Segment = Schema<"SegmentExplanation">;

function fate(candidate: Candidate): { label: string; color: string } {
  if (candidate.won) return { label: "decides", color: "teal" };
  return candidate.matched
    ? { label: "outranked", color: "gray" }
    : { label: "does not apply", color: "gray" };
}

interface StepProps {
  title: ReactNode;
  badge?: { label: string; color: string };
  state?: Pick<Candidate, "enabled" | "feature_state_value">;
  strong?: boolean;
  children?: ReactNode;
}

function Step({ title, badge, state, strong = false, children }: StepProps) {
  return (
    <Paper
      component="li"
      p="sm"
      style={strong ? { borderColor: "var(--mantine-color-teal-outline)" } : undefined}
      data-testid="step"
    >
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <Text span size="sm" fw={600}>
            {title}
          </Text>
          {badge && <Badge color={badge.color}>{badge.label}</Badge>}
        </Group>
        {state && (
          <Group gap="xs" style={{ minWidth: 0 }}>
            <Badge color={state.enabled ? "teal" : "gray"}>{state.enabled ? "on" : "off"}</Badge>
            <Value value={asValue(state.feature_state_value)} />
          </Group>
        )}
      </Group>
      {children && <Box mt="xs">{children}</Box>}
    </Paper>
  );
}

function SegmentName({ segment }: { segment: Schema<"ObjectName"> }) {
  const { project, environment } = usePlace();
  return (
    <Link
      className="row-link"
      to="/project/$project/environment/$environment/segments/$segment"
      params={{ project: String(project.id), environment: environment.api_key, segment: String(segment.id) }}
    >
      {segment.name}
    </Link>
  );
}

function CandidateStep({
  candidate,
  segments,
  hidden,
}: {
  candidate: Candidate;
  segments: Segment[];
  hidden: boolean;
}) {
  const trace = segments.find((one) => one.segment.id === candidate.segment?.id);
  const titles = {
    IDENTITY: "Its own override",
    ENVIRONMENT: "What everybody gets",
    SEGMENT: candidate.segment && (
      <>
        Override for <SegmentName segment={candidate.segment} />
        {candidate.priority !== null && `, priority ${candidate.priority}`}
      </>
    ),
  };
  return (
    <Step title={titles[candidate.source]} badge={fate(candidate)} state={candidate} strong={candidate.won}>
      {trace && <SegmentTrace trace={trace} hidden={hidden} />}
    </Step>
  );
}

function Split({ split, control }: { split: Schema<"SplitExplanation">; control: unknown }) {
  const shares = split.shares.map((share) => ({
    label: share.variant ?? brief(asValue(share.feature_state_value)),
    start: share.start,
    end: share.end,
    chosen: share.chosen,
  }));
  const end = Math.max(0, ...shares.map((share) => share.end));
  if (end < 100)
    shares.push({
      label: `the value itself (${brief(asValue(control))})`,
      start: end,
      end: 100,
      chosen: !shares.some((share) => share.chosen),
    });
  return (
    <Step title="Its share of the variations">
      <BucketBar bucket={split.bucket} shares={shares} />
      <Text size="xs" c="dimmed" mt={4} style={{ overflowWrap: "anywhere" }}>
        Computed from <span className="mono">{split.hashed}</span>
      </Text>
    </Step>
  );
}

function Served({ flag }: { flag: Flag }) {
  const told = (() => {
    if (!flag.served_to_servers) return "Nobody: it is off, and the environment keeps such flags to itself.";
    if (!flag.served_to_clients) return "Server-side keys only: the feature is marked so.";
    return "Client-side and server-side keys.";
  })();
  return (
    <Step title="Who is told">
      <Text size="sm">{told}</Text>
    </Step>
  );
}

export function FlagTrace({ flag, segments, hidden }: { flag: Flag; segments: Segment[]; hidden: boolean }) {
  const winner = flag.candidates.find((candidate) => candidate.won);
  return (
    <Stack gap="sm">
      <Text size="sm">{flag.summary}</Text>
      <Stack component="ol" gap="xs" p={0} m={0} style={{ listStyle: "none" }}>
        {!flag.candidates.some((candidate) => candidate.source === "IDENTITY") && (
          <Step title="Its own override" badge={{ label: "none", color: "gray" }} />
        )}
        {flag.candidates.map((candidate) => (
          <CandidateStep
            key={candidate.segment?.id ?? candidate.source}
            candidate={candidate}
            segments={segments}
            hidden={hidden}
          />
        ))}
        {flag.split && <Split split={flag.split} control={winner?.feature_state_value} />}
        <Served flag={flag} />
      </Stack>
      <Text size="xs" c="dimmed">
        SDKs call the reason <span className="mono">{flag.reason}</span>
      </Text>
    </Stack>
  );
}
