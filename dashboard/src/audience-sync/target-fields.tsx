/** Where in its destination a sync writes to, and what happens there: its mode, segment or trait, its columns. */
import { Radio, Select, Stack, Switch, TextInput } from "@mantine/core";
import { ColumnMap } from "./column-map";
import { type Content, contentOf, type SyncObject } from "./objects";
import { SegmentPicker } from "./segment-picker";
import {
  keyName,
  MODES,
  type Mode,
  type ModelContent,
  modesFor,
  type SyncContent,
  type To,
} from "./sync-content";

export interface PartProps {
  sync: SyncContent;
  onChange: (change: Partial<SyncContent>) => void;
  /** What was refused, by setting. */
  problems: Record<string, string>;
}

interface TargetProps extends PartProps {
  destination: SyncObject | undefined;
  model: SyncObject | undefined;
}

/** The kind of a destination. */
export function toOf(destination: SyncObject | undefined): To | undefined {
  return destination && (contentOf(destination).type as To);
}

interface ModeProps extends PartProps {
  to: To | undefined;
  model: ModelContent | undefined;
}

function ModeChoice({ sync, to, model, onChange, problems }: ModeProps) {
  const choose = (mode: Mode) => {
    const asks = mode === "upsert" && !sync.map?.identifier && model;
    onChange({ mode, ...(asks && { map: { ...sync.map, identifier: model.key } }) });
  };
  return (
    <Radio.Group
      label="What happens"
      required
      value={sync.mode}
      onChange={(mode) => choose(mode as Mode)}
      error={problems.mode}
    >
      <Stack gap="xs" mt={6}>
        {modesFor(to).map((mode) => (
          <Radio
            key={mode}
            value={mode}
            label={MODES[mode].label}
            description={MODES[mode].about[to === "flagsmith" ? "trait" : "target"]}
          />
        ))}
      </Stack>
    </Radio.Group>
  );
}

function TraitFields({ sync, onChange, problems, destination }: PartProps & { destination: Content }) {
  const prefix = String(destination.trait_prefix ?? "");
  return (
    <>
      <TextInput
        label="Audience trait"
        description={`Who is in the audience has it${prefix && `, as ${prefix}${sync.audience_trait || "in_audience"}`}.`}
        placeholder="in_audience"
        value={sync.audience_trait ?? ""}
        onChange={(event) => onChange({ audience_trait: event.currentTarget.value })}
        error={problems.audience_trait}
      />
      <TextInput
        label="Cohort"
        description="The id of a cohort, whose members are then written in place of a trait. Needs the destination's cohort key."
        value={sync.cohort ?? ""}
        onChange={(event) => onChange({ cohort: event.currentTarget.value })}
        error={problems.cohort}
      />
    </>
  );
}

function SegmentFields({
  sync,
  onChange,
  problems,
  to,
  destination,
}: PartProps & { to: To; destination: Content }) {
  return (
    <>
      {to === "burgee" ? (
        <SegmentPicker
          environment={String(destination.environment ?? "")}
          value={sync.segment ?? ""}
          onChange={(segment) => onChange({ segment })}
          error={problems.segment}
        />
      ) : (
        <TextInput
          label="Segment key"
          description="The segment must be there; it is never made."
          placeholder="high-value"
          required
          value={sync.segment ?? ""}
          onChange={(event) => onChange({ segment: event.currentTarget.value })}
          error={problems.segment}
        />
      )}
      <TextInput
        label="Context kind"
        description="Of the keys in the segment."
        placeholder="user"
        value={sync.context_kind ?? ""}
        onChange={(event) => onChange({ context_kind: event.currentTarget.value })}
        error={problems.context_kind}
      />
      {to === "launchdarkly" && sync.mode !== "add" && (
        <Select
          label="Who leaves"
          allowDeselect={false}
          data={[
            { value: "remove", label: "is taken from the included targets" },
            { value: "exclude", label: "becomes an excluded target, which beats rules" },
          ]}
          value={sync.on_remove ?? "remove"}
          onChange={(value) => onChange({ on_remove: value === "exclude" ? "exclude" : "remove" })}
        />
      )}
      {sync.mode === "mirror" && (
        <Switch
          label="Leave others' members alone"
          description="Members that people or other programs added stay, though the model does not have them."
          checked={sync.managed_only === true}
          onChange={(event) => onChange({ managed_only: event.currentTarget.checked })}
        />
      )}
    </>
  );
}

export function TargetFields({ destination, model, ...part }: TargetProps) {
  const to = toOf(destination);
  const content = destination ? contentOf(destination) : {};
  const rows = model && contentOf<ModelContent>(model);
  return (
    <Stack>
      <ModeChoice to={to} model={rows} {...part} />
      {to === "flagsmith" && part.sync.mode !== "upsert" && <TraitFields destination={content} {...part} />}
      {(to === "launchdarkly" || to === "burgee") && (
        <SegmentFields to={to} destination={content} {...part} />
      )}
      <ColumnMap keyName={keyName(to)} model={rows} {...part} />
    </Stack>
  );
}
