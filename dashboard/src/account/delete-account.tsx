import { Alert, Button, Modal, PasswordInput, Switch } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, queryClient, type Schema } from "~/api/client";
import * as session from "~/api/session";
import { Form } from "~/parts/form";
import { Section } from "~/parts/section";
import { TextField } from "~/parts/text-field";
import { Refusal } from "~/session/refusal";

/** Ends the user's own account. */
export function DeleteAccount({ me }: { me: Schema<"Me"> }) {
  const [opened, { open, close }] = useDisclosure();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [orphans, setOrphans] = useState(false);
  const remove = useAct(
    () =>
      http.DELETE("/api/v1/auth/users/me/", {
        body: { current_password: password || null, delete_orphan_organisations: orphans },
      }),
    {
      quiet: true,
      after: () => {
        session.end();
        queryClient.clear();
      },
    },
  );
  return (
    <Section
      title="Delete your account"
      description="What you made stays; your name goes from it."
      danger
      actions={
        <Button color="red" variant="outline" onClick={open}>
          Delete
        </Button>
      }
    >
      <Modal opened={opened} onClose={close} title="Delete your account">
        <Form onSubmit={() => remove.mutate()}>
          <Refusal error={remove.error} />
          <Switch
            label="Delete organisations I am the last member of"
            checked={orphans}
            onChange={(event) => setOrphans(event.currentTarget.checked)}
          />
          {orphans && <Alert color="red">Their projects and features are gone for good.</Alert>}
          {me.auth_type === "EMAIL" && (
            <PasswordInput
              label="Your password"
              autoComplete="current-password"
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
            />
          )}
          <TextField
            label={`Type ${me.email} to confirm`}
            value={email}
            autoComplete="off"
            onChange={setEmail}
          />
          <Button color="red" type="submit" loading={remove.isPending} disabled={email !== me.email}>
            Delete my account
          </Button>
        </Form>
      </Modal>
    </Section>
  );
}
