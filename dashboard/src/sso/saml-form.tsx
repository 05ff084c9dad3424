/** Sets up a SAML identity provider, or changes it. */
import { Button, Checkbox, FileButton, Group, Textarea } from "@mantine/core";
import { IconFileUpload } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { Form } from "~/parts/form";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";

export type Saml = Schema<"SamlConfigurationView">;

export const SAML = "/api/v1/auth/saml/configuration/";

interface SamlFormProps {
  organisation: number;
  saml?: Saml;
  onClose: () => void;
}

export function SamlForm({ organisation, saml, onClose }: SamlFormProps) {
  const [name, setName] = useState(saml?.name ?? "");
  const [frontend, setFrontend] = useState(saml?.frontend_url ?? location.origin);
  const [metadata, setMetadata] = useState(saml?.idp_metadata_xml ?? "");
  const [fromThere, setFromThere] = useState(saml?.allow_idp_initiated ?? false);
  const save = useAct(
    () => {
      const body = {
        organisation,
        name: name.trim(),
        frontend_url: frontend.trim(),
        idp_metadata_xml: metadata.trim() || null,
        allow_idp_initiated: fromThere,
      };
      return saml
        ? http.PUT("/api/v1/auth/saml/configuration/{name}/", { params: { path: { name: saml.name } }, body })
        : http.POST(SAML, { body });
    },
    { quiet: true, changes: [SAML], done: `${name} is saved.`, after: onClose },
  );
  return (
    <Form onSubmit={() => save.mutate()}>
      <Refusal
        error={save.error}
        fields={["name", "frontend_url", "idp_metadata_xml", "allow_idp_initiated"]}
      />
      <TextField
        label="Name"
        description="Members type it to sign in, and it is in the addresses the provider is given: letters, digits, hyphens, underscores."
        placeholder="acme"
        required
        data-autofocus
        value={name}
        onChange={setName}
        error={about(save.error, "name")}
      />
      <TextField
        label="Address of this dashboard"
        description="Where members come back to once they are signed in"
        type="url"
        required
        value={frontend}
        onChange={setFrontend}
        error={about(save.error, "frontend_url")}
      />
      <Textarea
        label="Metadata of the identity provider"
        description="The XML it gives. It can follow later: the provider may want to know this installation first."
        placeholder="<EntityDescriptor …>"
        autosize
        minRows={3}
        maxRows={10}
        spellCheck={false}
        value={metadata}
        onChange={(event) => setMetadata(event.currentTarget.value)}
        error={about(save.error, "idp_metadata_xml")}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      />
      <Group>
        <FileButton
          accept=".xml,application/xml,text/xml"
          onChange={async (file) => file && setMetadata(await file.text())}
        >
          {(props) => (
            <Button {...props} variant="default" size="xs" leftSection={<IconFileUpload size={14} />}>
              From a file
            </Button>
          )}
        </FileButton>
      </Group>
      <Checkbox
        label="Sign-ins may begin at the provider"
        description="From its own list of applications. Only sign-ins that begin here are otherwise taken."
        checked={fromThere}
        onChange={(event) => setFromThere(event.currentTarget.checked)}
      />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending} disabled={!name.trim() || !frontend.trim()}>
          Save the provider
        </Button>
      </Group>
    </Form>
  );
}
