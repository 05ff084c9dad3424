import { Button, Group, NumberInput } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { ApprovalsSetting } from "~/environments/approvals-setting";
import { ADMIN, useProjectMay } from "~/lib/permissions";
import { CustomFields } from "~/metadata/custom-fields";
import { useIsOn } from "~/own-flags/client";
import { DeleteSection } from "~/parts/delete-section";
import { Form } from "~/parts/form";
import { NARROW, Page } from "~/parts/page";
import { Section } from "~/parts/section";
import { SettingSwitch } from "~/parts/setting-switch";
import { TextField } from "~/parts/text-field";
import { PiiSettings } from "~/projects/pii-settings";
import { TagSettings } from "~/projects/tag-settings";
import { about, Refusal } from "~/session/refusal";
import { forgetPlace, type Project, usePlace } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/project-settings")({
  component: ProjectSettings,
});

const CHANGED = ["/api/v1/projects/"];

function usePatch(project: Project, quiet = false) {
  return useAct(
    (body: Schema<"ProjectBody">) =>
      http.PATCH("/api/v1/projects/{project_id}/", { params: { path: { project_id: project.id } }, body }),
    { changes: CHANGED, done: "Saved.", quiet },
  );
}

function About({ project, disabled }: { project: Project; disabled: boolean }) {
  const [name, setName] = useState(project.name);
  const [days, setDays] = useState(project.stale_flags_limit_days);
  const [pattern, setPattern] = useState(project.feature_name_regex ?? "");
  const hasPattern = useIsOn("feature_name_regex");
  const patch = usePatch(project, true);
  return (
    <Section title="About">
      <Form
        onSubmit={() =>
          patch.mutate({ name, stale_flags_limit_days: days, feature_name_regex: pattern || null })
        }
      >
        <Refusal error={patch.error} fields={["name", "stale_flags_limit_days", "feature_name_regex"]} />
        <TextField
          label="Name"
          required
          disabled={disabled}
          value={name}
          onChange={setName}
          error={about(patch.error, "name")}
        />
        <NumberInput
          label="Features are stale after"
          description="Days without a change of anything about them"
          suffix=" days"
          min={1}
          allowDecimal={false}
          disabled={disabled}
          value={days}
          onChange={(next) => setDays(Number(next) || 1)}
          error={about(patch.error, "stale_flags_limit_days")}
          styles={{ wrapper: { maxWidth: 260 } }}
        />
        {hasPattern && (
          <TextField
            label="Pattern for names of features"
            description="New features must be named so. Empty: any name."
            placeholder="^[a-z_]+$"
            disabled={disabled}
            value={pattern}
            onChange={setPattern}
            error={about(patch.error, "feature_name_regex")}
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          />
        )}
        <Group>
          <Button type="submit" loading={patch.isPending} disabled={disabled || !name.trim()}>
            Save
          </Button>
        </Group>
      </Form>
    </Section>
  );
}

function Rules({ project, disabled }: { project: Project; disabled: boolean }) {
  const patch = usePatch(project);
  const hasCase = useIsOn("case_sensitive_flags");
  const hasRequests = useIsOn("4eyes");
  const isBusy = disabled || patch.isPending;
  return (
    <Section title="Rules">
      {hasCase && (
        <SettingSwitch
          label="Names of features in lower case"
          description="So that nobody has to remember how a name was written."
          checked={project.only_allow_lower_case_feature_names}
          onChange={(only_allow_lower_case_feature_names) =>
            patch.mutate({ only_allow_lower_case_feature_names })
          }
          disabled={isBusy}
        />
      )}
      <SettingSwitch
        label="New features begin off and empty"
        description="Whatever was said when they were made."
        checked={project.prevent_flag_defaults}
        onChange={(prevent_flag_defaults) => patch.mutate({ prevent_flag_defaults })}
        disabled={isBusy}
      />
      <SettingSwitch
        label="Every feature has an owner"
        description="New ones need somebody to ask."
        checked={project.enforce_feature_owners}
        onChange={(enforce_feature_owners) => patch.mutate({ enforce_feature_owners })}
        disabled={isBusy}
      />
      <SettingSwitch
        label="Leave out features that are off"
        description="SDKs are not told of them, unless an environment says otherwise."
        checked={project.hide_disabled_flags}
        onChange={(hide_disabled_flags) => patch.mutate({ hide_disabled_flags })}
        disabled={isBusy}
      />
      <SettingSwitch
        label="Tell SDKs of changes at once"
        description="Over a stream that stays open, which pages here listen to as well; otherwise they look from time to time."
        checked={project.enable_realtime_updates}
        onChange={(enable_realtime_updates) => patch.mutate({ enable_realtime_updates })}
        disabled={isBusy}
      />
      {hasRequests && (
        <ApprovalsSetting
          what="Segments"
          value={project.minimum_change_request_approvals}
          onChange={(minimum_change_request_approvals) => patch.mutate({ minimum_change_request_approvals })}
          disabled={isBusy}
        />
      )}
    </Section>
  );
}

function ProjectSettings() {
  const navigate = Route.useNavigate();
  const { project } = usePlace();
  const isAdmin = useProjectMay(project.id)(ADMIN);
  const hasFields = useIsOn("enable_metadata");
  const remove = useAct(
    () => http.DELETE("/api/v1/projects/{project_id}/", { params: { path: { project_id: project.id } } }),
    {
      quiet: true,
      done: `${project.name} is gone.`,
      changes: CHANGED,
      after: () => {
        forgetPlace();
        return navigate({
          to: "/organisation/$organisation",
          params: { organisation: String(project.organisation) },
        });
      },
    },
  );
  return (
    <Page title="Project settings" width={NARROW}>
      <About key={project.id} project={project} disabled={!isAdmin} />
      <TagSettings project={project.id} />
      {hasFields && (
        <CustomFields organisation={project.organisation} project={project.id} mayManage={isAdmin} />
      )}
      <Rules project={project} disabled={!isAdmin} />
      <PiiSettings key={`pii ${project.id}`} project={project} isAdmin={isAdmin} />
      {isAdmin && (
        <DeleteSection
          what="the project"
          about="With all its environments and features."
          name={project.name}
          onConfirm={remove.mutateAsync}
        >
          {project.total_features} features and {project.total_segments} segments are gone for good, and
          programs with keys of its environments are refused.
        </DeleteSection>
      )}
    </Page>
  );
}
