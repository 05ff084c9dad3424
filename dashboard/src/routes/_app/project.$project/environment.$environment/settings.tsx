import { Button, ColorInput, Group, Select, Textarea } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { ApprovalsSetting } from "~/environments/approvals-setting";
import { ADMIN, useEnvironmentMay } from "~/lib/permissions";
import { toMetadata, valuesOf } from "~/metadata/fields";
import { Metadata } from "~/metadata/values";
import { useIsOn } from "~/own-flags/client";
import { Confirm } from "~/parts/confirm";
import { DeleteSection } from "~/parts/delete-section";
import { Form } from "~/parts/form";
import { NARROW, Page } from "~/parts/page";
import { Section } from "~/parts/section";
import { SettingSwitch } from "~/parts/setting-switch";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";
import { type Environment, forgetPlace, usePlace } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/settings")({
  component: Settings,
});

const CHANGED = ["/api/v1/environments/"];

function usePatch(environment: Environment, quiet = false) {
  return useAct(
    (body: Schema<"EnvironmentBody">) =>
      http.PATCH("/api/v1/environments/{environment_key}/", {
        params: { path: { environment_key: environment.api_key } },
        body,
      }),
    { changes: CHANGED, done: "Saved.", quiet },
  );
}

interface PartProps {
  environment: Environment;
  disabled: boolean;
}

function About({ environment, disabled }: PartProps) {
  const [name, setName] = useState(environment.name);
  const [description, setDescription] = useState(environment.description ?? "");
  const [banner, setBanner] = useState(environment.banner_text ?? "");
  const [colour, setColour] = useState(environment.banner_colour ?? "");
  const [said, setSaid] = useState(() => valuesOf(environment.metadata));
  const hasBanner = useIsOn("tag_environments");
  const patch = usePatch(environment, true);
  return (
    <Section title="About">
      <Form
        onSubmit={() =>
          patch.mutate({
            name,
            description,
            banner_text: banner || null,
            banner_colour: colour || null,
            metadata: toMetadata(said),
          })
        }
      >
        <Refusal error={patch.error} fields={["name", "description", "banner_text", "banner_colour"]} />
        <TextField
          label="Name"
          required
          disabled={disabled}
          value={name}
          onChange={setName}
          error={about(patch.error, "name")}
        />
        <Textarea
          label="Description"
          autosize
          disabled={disabled}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
          error={about(patch.error, "description")}
        />
        {hasBanner && (
          <Group align="flex-start" grow preventGrowOverflow={false}>
            <TextField
              label="Banner"
              description="Above every page of this environment"
              placeholder="This is live"
              disabled={disabled}
              value={banner}
              onChange={setBanner}
              error={about(patch.error, "banner_text")}
            />
            <ColorInput
              label="Its colour"
              description="To tell environments apart"
              disabled={disabled}
              value={colour}
              onChange={setColour}
              eyeDropperButtonProps={{ "aria-label": "Pick a colour from the screen" }}
              error={about(patch.error, "banner_colour")}
            />
          </Group>
        )}
        <Metadata
          project={environment.project}
          entity="environment"
          values={said}
          onChange={setSaid}
          disabled={disabled}
        />
        <Group>
          <Button type="submit" loading={patch.isPending} disabled={disabled || !name.trim()}>
            Save
          </Button>
        </Group>
      </Form>
    </Section>
  );
}

function Serving({ environment, disabled }: PartProps) {
  const patch = usePatch(environment);
  const hasSensitive = useIsOn("configure_hide_sensitive_data");
  const isBusy = disabled || patch.isPending;
  return (
    <Section title="What SDKs are served">
      <Select
        label="Features that are off"
        data={[
          { value: "project", label: "As the project says" },
          { value: "show", label: "Are served, as off" },
          { value: "hide", label: "Are left out" },
        ]}
        value={
          environment.hide_disabled_flags === null
            ? "project"
            : environment.hide_disabled_flags
              ? "hide"
              : "show"
        }
        onChange={(value) =>
          patch.mutate({ hide_disabled_flags: value === "project" ? null : value === "hide" })
        }
        allowDeselect={false}
        disabled={isBusy}
        maw={320}
      />
      <SettingSwitch
        label="Client-side SDKs may set traits"
        description="Otherwise only programs with a server-side key tell what identities are like."
        checked={environment.allow_client_traits}
        onChange={(allow_client_traits) => patch.mutate({ allow_client_traits })}
        disabled={isBusy}
      />
      {hasSensitive && (
        <SettingSwitch
          label="Leave out what is not needed"
          description="Descriptions and other words about features stay on the server."
          checked={environment.hide_sensitive_data}
          onChange={(hide_sensitive_data) => patch.mutate({ hide_sensitive_data })}
          disabled={isBusy}
        />
      )}
      <SettingSwitch
        label="Identity overrides in local evaluation"
        description="SDKs that evaluate by themselves know of single identities' overrides."
        checked={environment.use_identity_overrides_in_local_eval}
        onChange={(use_identity_overrides_in_local_eval) =>
          patch.mutate({ use_identity_overrides_in_local_eval })
        }
        disabled={isBusy}
      />
    </Section>
  );
}

function Versioning({ environment, disabled }: PartProps) {
  const [asking, setAsking] = useState(false);
  const enable = useAct(
    () =>
      http.POST("/api/v1/environments/{environment_key}/enable-v2-versioning/", {
        params: { path: { environment_key: environment.api_key } },
      }),
    { quiet: true, changes: CHANGED, done: "Every change of a feature makes a version from now on." },
  );
  return (
    <Section
      title="Versions of features"
      description="Every change makes a version that can be looked at, compared and restored."
    >
      {environment.use_v2_feature_versioning ? (
        <span>They are kept.</span>
      ) : (
        <Group>
          <Button variant="light" disabled={disabled} onClick={() => setAsking(true)}>
            Keep versions
          </Button>
        </Group>
      )}
      <Confirm
        opened={asking}
        onClose={() => setAsking(false)}
        title="Keep versions"
        action="Keep them"
        onConfirm={enable.mutateAsync}
      >
        The present states become the first version of each feature. Programs that write single states with
        the oldest calls of the API have to use versions from then on.
      </Confirm>
    </Section>
  );
}

function Settings() {
  const params = Route.useParams();
  const navigate = Route.useNavigate();
  const { environment } = usePlace();
  const disabled = !useEnvironmentMay(environment.api_key)(ADMIN);
  const hasRequests = useIsOn("4eyes");
  const hasVersions = useIsOn("feature_versioning");
  const patch = usePatch(environment);
  const remove = useAct(
    () =>
      http.DELETE("/api/v1/environments/{environment_key}/", {
        params: { path: { environment_key: environment.api_key } },
      }),
    {
      quiet: true,
      done: `${environment.name} is gone.`,
      changes: CHANGED,
      after: () => {
        forgetPlace();
        return navigate({ to: "/project/$project", params: { project: params.project } });
      },
    },
  );
  const part = { environment, disabled };
  return (
    <Page title="Environment settings" width={NARROW}>
      <About key={environment.id} {...part} />
      {hasRequests && (
        <Section title="Change requests">
          <ApprovalsSetting
            what="Features"
            value={environment.minimum_change_request_approvals}
            onChange={(minimum_change_request_approvals) =>
              patch.mutate({ minimum_change_request_approvals })
            }
            disabled={disabled}
          />
        </Section>
      )}
      <Serving {...part} />
      {hasVersions && <Versioning {...part} />}
      {!disabled && (
        <DeleteSection
          what="the environment"
          about="Its keys stop working at once."
          name={environment.name}
          onConfirm={remove.mutateAsync}
        >
          States, overrides and identities of this environment are gone for good, and programs with its keys
          are refused.
        </DeleteSection>
      )}
    </Page>
  );
}
