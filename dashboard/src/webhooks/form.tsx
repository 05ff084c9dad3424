/** Makes or edits a webhook. */
import { Button, Checkbox, Group, PasswordInput, Switch } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { Form } from "~/parts/form";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";
import { callsOf, type Owner, WEBHOOKS, type Webhook } from "./calls";
import { Try } from "./try";

interface FormProps {
  owner: Owner;
  webhook?: Webhook;
  onClose: () => void;
  /** Told of a secret that was set, to be shown this once. */
  onSecret: (secret: string) => void;
}

/** A key of 32 bytes, written as Standard Webhooks writes them. */
function makeSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}

function isAddress(text: string): boolean {
  return /^https?:\/\/\S+$/i.test(text.trim());
}

export function WebhookForm({ owner, webhook, onClose, onSecret }: FormProps) {
  const [url, setUrl] = useState(webhook?.url ?? "");
  const [secret, setSecret] = useState("");
  const [isUnsigned, setUnsigned] = useState(false);
  const [isEnabled, setEnabled] = useState(webhook?.enabled ?? true);
  const wasSigned = Boolean(webhook?.secret);
  // What is not given stays as it is.
  const given = isUnsigned ? { secret: "" } : secret ? { secret } : {};
  const save = useAct<void, unknown>(
    () => {
      const body = { url: url.trim(), enabled: isEnabled, ...given };
      const calls = callsOf(owner);
      return webhook ? calls.patch(webhook.id, body) : calls.create(body);
    },
    {
      quiet: true,
      changes: WEBHOOKS,
      done: "The webhook is saved.",
      after: () => {
        onClose();
        if (secret && !isUnsigned) onSecret(secret);
      },
    },
  );
  return (
    <Form onSubmit={() => save.mutate()}>
      <Refusal error={save.error} fields={["url", "secret"]} />
      <TextField
        label="Address"
        description="Gets a POST of JSON for every event"
        type="url"
        required
        data-autofocus
        placeholder="https://example.com/hooks/flags"
        value={url}
        onChange={setUrl}
        error={about(save.error, "url")}
      />
      <Group align="flex-end" gap="xs">
        <PasswordInput
          label="Secret"
          description={
            wasSigned
              ? "Empty: the one it has stays. A new one replaces it at once."
              : "Signs what is sent, so that the receiver knows it is from here. Empty: unsigned."
          }
          placeholder={wasSigned ? "Kept as it is" : undefined}
          autoComplete="new-password"
          disabled={isUnsigned}
          value={secret}
          onChange={(event) => setSecret(event.currentTarget.value)}
          error={about(save.error, "secret")}
          style={{ flex: "1 1 14rem" }}
        />
        <Button variant="light" disabled={isUnsigned} onClick={() => setSecret(makeSecret())}>
          Make one
        </Button>
      </Group>
      {wasSigned && (
        <Checkbox
          label="Send unsigned from now on"
          checked={isUnsigned}
          onChange={(event) => setUnsigned(event.currentTarget.checked)}
        />
      )}
      <Switch
        label="On"
        description="While it is off nothing is collected for it."
        checked={isEnabled}
        onChange={(event) => setEnabled(event.currentTarget.checked)}
      />
      <Try
        owner={owner}
        url={url.trim()}
        secret={isUnsigned ? "" : secret || webhook?.secret || ""}
        disabled={!isAddress(url)}
      />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending} disabled={!isAddress(url)}>
          {webhook ? "Save" : "Add the webhook"}
        </Button>
      </Group>
    </Form>
  );
}
