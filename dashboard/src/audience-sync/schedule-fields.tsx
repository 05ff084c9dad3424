/** When a sync runs by itself: at intervals, by the clock, after another one, or only by hand. */
import {
  Button,
  Group,
  Input,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useState } from "react";
import { useObjects } from "./objects";
import { inUnits, type Schedule } from "./sync-content";
import type { PartProps } from "./target-fields";

type Way = "manual" | "interval" | "cron" | "after";

function wayOf(schedule: Schedule | null | undefined): Way {
  if (schedule?.every_minutes !== undefined) return "interval";
  if (schedule?.cron !== undefined) return "cron";
  return schedule?.after !== undefined ? "after" : "manual";
}

const ZONES = Intl.supportedValuesOf("timeZone");
const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

const START: Record<Way, Schedule | null> = {
  manual: null,
  interval: { every_minutes: 60 },
  cron: { cron: "30 6 * * *", tz: OWN_ZONE },
  after: { after: "" },
};

const UNITS = [
  { value: "1", label: "minutes" },
  { value: "60", label: "hours" },
  { value: "1440", label: "days" },
];

const CRONS = [
  { label: "Every 15 minutes", cron: "*/15 * * * *" },
  { label: "Every hour", cron: "0 * * * *" },
  { label: "Every day", cron: "30 6 * * *" },
  { label: "On weekdays", cron: "30 6 * * 1-5" },
  { label: "Every Monday", cron: "30 6 * * 1" },
];

interface WayProps {
  schedule: Schedule;
  onChange: (schedule: Schedule) => void;
  problems: Record<string, string>;
}

function Interval({ schedule, onChange, problems }: WayProps) {
  const minutes = schedule.every_minutes ?? 0;
  const [unit, setUnit] = useState(inUnits(minutes).unit);
  return (
    <Input.Wrapper
      label="Every"
      labelElement="div"
      error={problems["schedule.every_minutes"]}
      description="Counted from the beginning of one run to that of the next. The first run begins at once."
    >
      <Group gap="xs" mt={6}>
        <NumberInput
          aria-label="How many"
          w={110}
          min={1}
          allowDecimal={false}
          value={minutes / unit}
          onChange={(count) => onChange({ every_minutes: (Number(count) || 0) * unit })}
        />
        <Select
          aria-label="Of what"
          w={130}
          allowDeselect={false}
          data={UNITS}
          value={String(unit)}
          onChange={(value) => {
            setUnit(Number(value));
            onChange({ every_minutes: (minutes / unit) * Number(value) });
          }}
        />
      </Group>
    </Input.Wrapper>
  );
}

function Clock({ schedule, onChange, problems }: WayProps) {
  const zone = schedule.tz ?? "UTC";
  return (
    <Stack gap="xs">
      <Group gap="xs" align="flex-start" grow preventGrowOverflow={false}>
        <TextInput
          label="Cron expression"
          description="Minute, hour, day of month, month, day of week."
          required
          spellCheck={false}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          value={schedule.cron ?? ""}
          onChange={(event) => onChange({ ...schedule, cron: event.currentTarget.value })}
          error={problems["schedule.cron"]}
        />
        <Select
          label="Time zone"
          description="Whose clock counts, also when summer begins."
          searchable
          allowDeselect={false}
          limit={80}
          nothingFoundMessage="There is none like that"
          data={[...new Set(["UTC", zone, ...ZONES])]}
          value={zone}
          onChange={(tz) => onChange({ ...schedule, tz: tz ?? "UTC" })}
          error={problems["schedule.tz"]}
        />
      </Group>
      <Group gap={6}>
        {CRONS.map(({ label, cron }) => (
          <Button
            key={label}
            size="compact-xs"
            variant="default"
            onClick={() => onChange({ ...schedule, cron })}
          >
            {label}
          </Button>
        ))}
      </Group>
    </Stack>
  );
}

interface ScheduleFieldsProps extends PartProps {
  organisation: number;
  /** The sync itself, which can't run after itself. */
  name: string;
}

export function ScheduleFields({ organisation, name, sync, onChange, problems }: ScheduleFieldsProps) {
  const others = (useObjects(organisation, "syncs").data?.results ?? []).filter((one) => one.name !== name);
  const way = wayOf(sync.schedule);
  const set = (schedule: Schedule | null) => onChange({ schedule });
  const part = { schedule: sync.schedule ?? {}, onChange: set, problems };
  return (
    <Stack>
      <SegmentedControl
        aria-label="When it runs"
        size="sm"
        style={{ alignSelf: "flex-start", flexWrap: "wrap" }}
        data={[
          { value: "manual", label: "By hand" },
          { value: "interval", label: "At intervals" },
          { value: "cron", label: "By the clock" },
          { value: "after", label: "After another sync" },
        ]}
        value={way}
        onChange={(value) => set(START[value as Way])}
      />
      {way === "manual" && (
        <Text size="sm" c="dimmed">
          It runs when somebody presses “Run now”, or a program triggers it through the API.
        </Text>
      )}
      {way === "interval" && <Interval {...part} />}
      {way === "cron" && <Clock {...part} />}
      {way === "after" && (
        <Select
          label="After"
          description="It runs each time that sync has ended without errors."
          required
          data={others.map((one) => one.name)}
          placeholder={others.length === 0 ? "There is no other sync" : "Choose a sync"}
          value={sync.schedule?.after || null}
          onChange={(after) => set({ after: after ?? "" })}
          error={problems["schedule.after"]}
          maw={420}
        />
      )}
      {problems.schedule && <Input.Error>{problems.schedule}</Input.Error>}
    </Stack>
  );
}
