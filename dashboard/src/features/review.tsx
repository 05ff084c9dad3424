/** The last look before a change of a flag is saved: what changes, and how it is to come about. */
import { Alert, Button, Group, Modal, SegmentedControl, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { type Asked, AskFields } from "~/changes/ask-fields";
import { ImpactPreview } from "~/impact/preview";
import { useEnvironmentMay } from "~/lib/permissions";
import { useIsOn } from "~/own-flags/client";
import { Form } from "~/parts/form";
import { TextField } from "~/parts/text-field";
import { toLocalField } from "~/parts/time";
import { Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";
import { ChangeList } from "./change-list";
import { changesBetween, type Draft, toChangeSet } from "./draft";
import { Overtaken, request, saveNow, schedule } from "./save";
import { FLAG_PATHS } from "./use-toggle";

type Way = "now" | "request" | "schedule";

interface ReviewProps {
  feature: { id: number; name: string; tags: number[] };
  base: Draft;
  draft: Draft;
  names: { segments: Map<number, string>; options: Map<number, string> };
  onClose: () => void;
  onSaved: () => void;
  /** Somebody else's change is taken as what this one begins from. */
  onRebase?: (current: Draft) => void;
}

const CHANGED = [
  ...FLAG_PATHS,
  "/api/v1/environments/{environment_key}/list-change-requests/",
  "/api/v1/environments/{environment_key}/scheduled-changes/",
];

function tomorrow(): string {
  return toLocalField(new Date(Date.now() + 24 * 3600 * 1000));
}

function useWays(tags: number[]): Way[] {
  const { environment } = usePlace();
  const may = useEnvironmentMay(environment.api_key);
  const hasRequests = useIsOn("4eyes");
  const needsApproval = environment.minimum_change_request_approvals !== null;
  const ways: Way[] = [];
  if (!needsApproval && may("UPDATE_FEATURE_STATE", tags)) ways.push("now", "schedule");
  if ((hasRequests || needsApproval) && may("CREATE_CHANGE_REQUEST", tags)) ways.push("request");
  return ways;
}

const LABELS: Record<Way, string> = { now: "Now", schedule: "At a time", request: "With approval" };
const ACTIONS: Record<Way, string> = { now: "Save", schedule: "Schedule", request: "Ask for approval" };

export function Review({ feature, base, draft, names, onClose, onSaved, onRebase }: ReviewProps) {
  const { project, environment } = usePlace();
  const navigate = useNavigate();
  const ways = useWays(feature.tags);
  const [chosen, setWay] = useState<Way>();
  const way = chosen ?? ways[0] ?? "request";
  const [asked, setAsked] = useState<Asked>({
    title: `Change ${feature.name}`,
    description: "",
    reviewers: [],
  });
  const [at, setAt] = useState(tomorrow());
  const [isLater, setIsLater] = useState(false);
  const changes = changesBetween(base, draft);

  const save = useAct(
    async () => {
      const target = { environmentKey: environment.api_key, feature: feature.id };
      if (way === "now") return saveNow(target, draft, base);
      if (way === "schedule") return schedule(target, draft, base, new Date(at));
      const what = {
        title: asked.title,
        description: asked.description,
        reviewers: asked.reviewers.map(Number),
        at: isLater ? new Date(at) : null,
      };
      return request(target, draft, base, what);
    },
    {
      quiet: true,
      changes: CHANGED,
      after: (made) => {
        onSaved();
        if (way === "request") {
          return navigate({
            to: "/project/$project/environment/$environment/change-requests/$request",
            params: { project: String(project.id), environment: environment.api_key, request: String(made) },
          });
        }
        notifications.show({
          message: way === "now" ? `${feature.name} is saved.` : `${feature.name} will change as planned.`,
        });
      },
    },
  );
  const overtaken = save.error instanceof Overtaken ? save.error : undefined;
  return (
    <Modal opened onClose={onClose} title={`Review the changes in ${environment.name}`} size="lg">
      <Form onSubmit={() => save.mutate()}>
        {overtaken && (
          <Alert color="orange" title="Somebody changed this in the meantime" role="alert">
            <Stack gap="xs">
              <Text size="sm">This is what they changed. Yours is still here.</Text>
              <ChangeList changes={changesBetween(base, overtaken.current)} names={names} />
              {onRebase && (
                <Button
                  variant="default"
                  onClick={() => {
                    onRebase(overtaken.current);
                    save.reset();
                  }}
                >
                  Keep mine on top of theirs
                </Button>
              )}
            </Stack>
          </Alert>
        )}
        {!overtaken && <Refusal error={save.error} />}
        <ChangeList changes={changes} names={names} />
        {changes.length > 0 && (
          <ImpactPreview proposal={{ change_sets: [toChangeSet(feature.id, draft, base)] }} />
        )}
        {ways.length === 0 && <Alert color="yellow">You may not change this feature here.</Alert>}
        {ways.length > 1 && (
          <SegmentedControl
            aria-label="When it takes effect"
            size="sm"
            data={ways.map((value) => ({ value, label: LABELS[value] }))}
            value={way}
            onChange={(value) => setWay(value as Way)}
          />
        )}
        {way === "schedule" && (
          <TextField
            type="datetime-local"
            label="Takes effect"
            description="In your time zone. It can be cancelled until then."
            value={at}
            onChange={setAt}
            required
          />
        )}
        {way === "request" && ways.includes("request") && (
          <>
            <AskFields organisation={project.organisation} asked={asked} onChange={setAsked} />
            <SegmentedControl
              aria-label="When it takes effect after approval"
              size="sm"
              data={[
                { value: "published", label: "When it is published" },
                { value: "later", label: "At a time" },
              ]}
              value={isLater ? "later" : "published"}
              onChange={(value) => setIsLater(value === "later")}
            />
            {isLater && (
              <TextField type="datetime-local" label="Takes effect" value={at} onChange={setAt} required />
            )}
          </>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Go on editing
          </Button>
          <Button
            type="submit"
            loading={save.isPending}
            disabled={ways.length === 0 || changes.length === 0 || overtaken !== undefined}
            data-autofocus
          >
            {ACTIONS[way]}
          </Button>
        </Group>
      </Form>
    </Modal>
  );
}
