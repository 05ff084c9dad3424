import { Button, Modal } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { Form } from "~/parts/form";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";

interface CreateIdentityProps {
  opened: boolean;
  onClose: () => void;
  onMade: (id: number) => unknown;
}

/** Makes an identity before its program has asked, so that overrides can wait for it. */
export function CreateIdentity({ opened, onClose, onMade }: CreateIdentityProps) {
  const { environment } = usePlace();
  const [identifier, setIdentifier] = useState("");
  const create = useAct(
    () =>
      http.POST("/api/v1/environments/{environment_key}/identities/", {
        params: { path: { environment_key: environment.api_key } },
        body: { identifier },
      }),
    {
      quiet: true,
      changes: ["/api/v1/environments/{environment_key}/identities/"],
      after: (identity) => onMade(identity.id),
    },
  );
  return (
    <Modal opened={opened} onClose={onClose} title="New identity">
      <Form onSubmit={() => create.mutate()}>
        <Refusal error={create.error} fields={["identifier"]} />
        <TextField
          label="Identifier"
          description="As your programs will name it. Take one that can't be guessed: client-side keys are public, and whoever knows both can ask for this identity's flags."
          required
          data-autofocus
          value={identifier}
          onChange={setIdentifier}
          error={about(create.error, "identifier")}
        />
        <Button type="submit" loading={create.isPending} disabled={!identifier}>
          Create identity
        </Button>
      </Form>
    </Modal>
  );
}
