/** Makes or edits a segment. */
import { Alert, Button, Group, Stack, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
import { ImpactPreview } from "~/impact/preview";
import { toMetadata, valuesOf } from "~/metadata/fields";
import { Metadata } from "~/metadata/values";
import { Section } from "~/parts/section";
import { about, Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";
import { propertyOf, useListSegments } from "./lists/lists";
import { ProposeSegment } from "./propose";
import { RuleBuilder } from "./rule-builder";
import { emptyRule, problemsOf, rulesOf, toBody } from "./rules";
import type { Way } from "./way";

type Segment = Schema<"SegmentView">;

interface SegmentFormProps {
  segment?: Segment;
  /** Whether members are named as well: the rules are for everybody else then. */
  hasList?: boolean;
  /** How the change comes about; none for those who may only look. */
  way: Way | undefined;
  onSaved: (segment: Segment) => unknown;
}

export function SegmentForm({ segment, hasList = false, way, onSaved }: SegmentFormProps) {
  const { project, environment } = usePlace();
  const [name, setName] = useState(segment?.name ?? "");
  const [description, setDescription] = useState(segment?.description ?? "");
  const [rules, setRules] = useState(() => (segment ? rulesOf(segment.rules) : [emptyRule()]));
  const [said, setSaid] = useState(() => valuesOf(segment?.metadata));
  const [hasTried, setTried] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const disabled = way === undefined;
  const traitKeys = api.useQuery("get", "/api/v1/environments/{environment_key}/trait-keys/", {
    params: { path: { environment_key: environment.api_key } },
  });
  const lists = useListSegments(environment.api_key).data?.results ?? [];
  const properties = [...(traitKeys.data?.keys ?? []), ...lists.map((list) => propertyOf(list.key))];
  const problems = problemsOf(rules);
  const body = { name: name.trim(), description, rules: toBody(rules), metadata: toMetadata(said) };
  const save = useAct(
    async () => {
      if (!segment) {
        const { data } = await http.POST("/api/v1/projects/{project_id}/segments/", {
          params: { path: { project_id: project.id } },
          body,
        });
        return data as Segment;
      }
      const { data } = await http.PUT("/api/v1/projects/{project_id}/segments/{id}/", {
        params: { path: { project_id: project.id, id: segment.id } },
        body,
      });
      return data as Segment;
    },
    {
      quiet: true,
      changes: ["/api/v1/projects/{project_id}/segments/"],
      done: `${name} is saved.`,
      after: onSaved,
    },
  );
  return (
    <>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (problems > 0) return;
          if (way === "propose") setAsking(true);
          else save.mutate();
        }}
      >
        <Stack>
          <Refusal error={save.error} fields={["name", "description"]} />
          <Section title="About">
            <TextInput
              label="Name"
              required
              disabled={disabled}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              error={about(save.error, "name")}
              maw={480}
            />
            <Textarea
              label="Description"
              autosize
              disabled={disabled}
              value={description}
              onChange={(event) => setDescription(event.currentTarget.value)}
              error={about(save.error, "description")}
            />
            <Metadata
              project={project.id}
              entity="segment"
              values={said}
              onChange={setSaid}
              disabled={disabled}
            />
          </Section>
          <Section
            title={hasList ? "Who else is in it" : "Who is in it"}
            description={
              hasList
                ? "Whoever is on no list is in it by these rules, if there are any."
                : "Identities for whom all groups hold, by the traits your programs send."
            }
          >
            <RuleBuilder
              rules={rules}
              onChange={setRules}
              traitKeys={properties}
              showProblems={hasTried}
              disabled={disabled}
            />
            {hasTried && problems > 0 && (
              <Alert color="red" role="alert">
                {problems === 1 ? "One condition is" : `${problems} conditions are`} not complete.
              </Alert>
            )}
          </Section>
          {!disabled && (
            <ImpactPreview
              proposal={{
                segments: [{ id: segment?.id, name: name.trim() || undefined, rules: toBody(rules) }],
              }}
              disabled={problems > 0}
            />
          )}
          <Group>
            <Button type="submit" loading={save.isPending} disabled={disabled || !name.trim()}>
              {way === "propose" ? "Ask for approval" : segment ? "Save the segment" : "Create segment"}
            </Button>
          </Group>
        </Stack>
      </form>
      {isAsking && (
        <ProposeSegment
          segment={{ ...body, feature: segment?.feature ?? null, version_of: segment?.id ?? null }}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}
