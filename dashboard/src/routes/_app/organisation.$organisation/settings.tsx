import { Button, Group } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { Billing } from "~/organisation/billing";
import { useOwnFlags } from "~/own-flags/client";
import { planHas } from "~/own-flags/gates";
import { DeleteSection } from "~/parts/delete-section";
import { Form } from "~/parts/form";
import { NARROW, Page } from "~/parts/page";
import { Section } from "~/parts/section";
import { SettingSwitch } from "~/parts/setting-switch";
import { Loaded } from "~/parts/states";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";
import { forgetPlace, type Organisation, useOrganisations } from "~/shell/place";

export const Route = createFileRoute("/_app/organisation/$organisation/settings")({
  component: OrganisationSettings,
});

const CHANGED = ["/api/v1/organisations/"];

function OrganisationSettings() {
  const id = Route.useParams().organisation;
  const organisations = useOrganisations();
  return (
    <Loaded query={organisations}>
      {({ results }) => {
        const organisation = results.find((one) => String(one.id) === id);
        return organisation && <Settings key={organisation.id} organisation={organisation} />;
      }}
    </Loaded>
  );
}

function Settings({ organisation }: { organisation: Organisation }) {
  const navigate = Route.useNavigate();
  const path = { organisation_id: organisation.id };
  const flags = useOwnFlags();
  const [name, setName] = useState(organisation.name);
  const patch = useAct(
    (body: Schema<"OrganisationBody">) =>
      http.PATCH("/api/v1/organisations/{organisation_id}/", { params: { path }, body }),
    { quiet: true, changes: CHANGED, done: "Saved." },
  );
  const remove = useAct(() => http.DELETE("/api/v1/organisations/{organisation_id}/", { params: { path } }), {
    quiet: true,
    changes: CHANGED,
    done: `${organisation.name} is gone.`,
    after: () => {
      forgetPlace();
      return navigate({ to: "/" });
    },
  });
  return (
    <Page title="Organisation settings" width={NARROW}>
      <Section title="About">
        <Form onSubmit={() => patch.mutate({ name })}>
          <Refusal error={patch.error} fields={["name"]} />
          <TextField
            label="Name"
            required
            value={name}
            onChange={setName}
            error={about(patch.error, "name")}
          />
          <Group>
            <Button type="submit" loading={patch.isPending} disabled={!name.trim()}>
              Save
            </Button>
          </Group>
        </Form>
      </Section>
      <Section title="Rules">
        {flags.force_2fa.enabled && planHas("second_factor", organisation.subscription.plan, flags) && (
          <SettingSwitch
            label="A second factor for everybody"
            description="Members without one see nothing of this organisation until they set it up in their account."
            checked={organisation.force_2fa}
            onChange={(force_2fa) => patch.mutate({ force_2fa })}
            disabled={patch.isPending}
          />
        )}
        <SettingSwitch
          label="Only administrators make projects"
          description="Otherwise the permission to make projects is enough."
          checked={organisation.restrict_project_create_to_admin}
          onChange={(restrict_project_create_to_admin) => patch.mutate({ restrict_project_create_to_admin })}
          disabled={patch.isPending}
        />
      </Section>
      {flags.payments_enabled.enabled && <Billing organisation={organisation} />}
      <DeleteSection
        what="the organisation"
        about="With all its projects."
        name={organisation.name}
        onConfirm={remove.mutateAsync}
      >
        Every project, environment and feature is gone for good, and programs with their keys are refused.
      </DeleteSection>
    </Page>
  );
}
