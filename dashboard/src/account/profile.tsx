import { Button, Group, TextInput } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { Form } from "~/parts/form";
import { Section } from "~/parts/section";
import { about, Refusal } from "~/session/refusal";

/** The user's own name. */
export function Profile({ me }: { me: Schema<"Me"> }) {
  const [name, setName] = useState({ first_name: me.first_name, last_name: me.last_name });
  const save = useAct(() => http.PATCH("/api/v1/auth/users/me/", { body: name }), {
    quiet: true,
    changes: ["/api/v1/auth/users/", "/api/v1/organisations/{organisation_id}/users/"],
    done: "Saved.",
  });
  return (
    <Section title="You" description={me.email}>
      <Form onSubmit={() => save.mutate()}>
        <Refusal error={save.error} fields={["first_name", "last_name"]} />
        <Group grow align="flex-start">
          <TextInput
            label="First name"
            autoComplete="given-name"
            value={name.first_name}
            onChange={(event) => setName({ ...name, first_name: event.currentTarget.value })}
            error={about(save.error, "first_name")}
          />
          <TextInput
            label="Last name"
            autoComplete="family-name"
            value={name.last_name}
            onChange={(event) => setName({ ...name, last_name: event.currentTarget.value })}
            error={about(save.error, "last_name")}
          />
        </Group>
        <Group>
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </Group>
      </Form>
    </Section>
  );
}
