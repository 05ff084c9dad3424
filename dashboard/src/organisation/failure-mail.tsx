/** Who is mailed when deliveries to webhooks are given up. */
import { Button, Group } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { Section } from "~/parts/section";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";
import { type Organisation, useOrganisations } from "~/shell/place";

function Form({ organisation }: { organisation: Organisation }) {
  const [email, setEmail] = useState(organisation.webhook_notification_email ?? "");
  const save = useAct(
    () =>
      http.PATCH("/api/v1/organisations/{organisation_id}/", {
        params: { path: { organisation_id: organisation.id } },
        body: { webhook_notification_email: email.trim() || null },
      }),
    { quiet: true, changes: ["/api/v1/organisations/"], done: "Saved." },
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Refusal error={save.error} fields={["webhook_notification_email"]} />
      <Group align="flex-start">
        <TextField
          type="email"
          label="E-mail address"
          description="Empty: nobody is told"
          value={email}
          onChange={setEmail}
          error={about(save.error, "webhook_notification_email")}
          style={{ flex: "1 1 16rem" }}
          maw={400}
        />
        <Button type="submit" variant="light" loading={save.isPending} mt={45}>
          Save
        </Button>
      </Group>
    </form>
  );
}

export function FailureMail({ organisation }: { organisation: number }) {
  const found = useOrganisations().data?.results.find((one) => one.id === organisation);
  if (!found) return null;
  return (
    <Section
      title="When deliveries fail"
      description="Whom to mail when a webhook of this organisation or of one of its environments could not be reached for hours; once an hour at most."
    >
      <Form key={found.id} organisation={found} />
    </Section>
  );
}
