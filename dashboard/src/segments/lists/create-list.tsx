/** Makes a segment whose members are named. */
import { Button, Group, Textarea } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { Form } from "~/parts/form";
import { Section } from "~/parts/section";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";
import { IDENTIFIERS, LIST_PATHS } from "./lists";

interface CreateListProps {
  disabled: boolean;
  onMade: (made: Schema<"ListSegmentView">) => unknown;
}

export function CreateList({ disabled, onMade }: CreateListProps) {
  const { project } = usePlace();
  const [name, setName] = useState("");
  const [key, setKey] = useState("");
  const [description, setDescription] = useState("");
  const [kind, setKind] = useState("");
  const create = useAct(
    () =>
      http.POST("/api/v1/projects/{project_id}/list-segments/", {
        params: { path: { project_id: project.id } },
        body: {
          name: name.trim(),
          key: key.trim() || null,
          description: description || null,
          context_kind: kind.trim() || IDENTIFIERS,
        },
      }),
    {
      quiet: true,
      changes: ["/api/v1/projects/{project_id}/segments/", ...LIST_PATHS],
      done: `${name} is there. Now say who is in it.`,
      after: onMade,
    },
  );
  return (
    <Form onSubmit={() => create.mutate()}>
      <Refusal error={create.error} fields={["name", "key", "description", "context_kind"]} />
      <Section title="About" description="Who is in it is said afterwards, in each environment.">
        <TextField
          label="Name"
          required
          disabled={disabled}
          value={name}
          onChange={setName}
          error={about(create.error, "name")}
          maw={480}
        />
        <TextField
          label="Key"
          description="What programs and rules of other segments call it. Empty: made of the name."
          placeholder="high-value"
          disabled={disabled}
          value={key}
          onChange={setKey}
          error={about(create.error, "key")}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          maw={480}
        />
        <TextField
          label="Members are values of the trait"
          description="Such as company: then everybody of a company on the list is in. Empty: members are identifiers."
          placeholder="company"
          disabled={disabled}
          value={kind}
          onChange={setKind}
          error={about(create.error, "context_kind")}
          maw={480}
        />
        <Textarea
          label="Description"
          autosize
          disabled={disabled}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
          error={about(create.error, "description")}
        />
      </Section>
      <Group>
        <Button type="submit" loading={create.isPending} disabled={disabled || !name.trim()}>
          Create list segment
        </Button>
      </Group>
    </Form>
  );
}
