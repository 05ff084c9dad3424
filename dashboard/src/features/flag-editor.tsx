/** Edits a flag in an environment: everything is a draft until it is reviewed and saved. */
import { Alert, Button, Group, Paper, Stack, Text, Transition } from "@mantine/core";
import { useBlocker } from "@tanstack/react-router";
import { useRef, useState } from "react";
import type { Schema } from "~/api/client";
import { useEnvironmentMay } from "~/lib/permissions";
import { Confirm } from "~/parts/confirm";
import { Section } from "~/parts/section";
import { usePlace } from "~/shell/place";
import { changesBetween, type Draft, draftOf, isSound } from "./draft";
import { useNames, useSegments } from "./flag";
import { merge } from "./merge";
import { OptionsEditor } from "./options-editor";
import { Planned } from "./planned";
import { Review } from "./review";
import { SegmentOverrides } from "./segment-overrides";
import { StateEditor } from "./state-editor";

interface FlagEditorProps {
  feature: Schema<"FeatureView">;
  flag: Schema<"FlagView">;
  part: "value" | "segments";
}

/** A draft that follows what is loaded for as long as nothing is edited, and is brought up to date when something is. */
function useDraft(flag: Schema<"FlagView">) {
  const [{ base, draft, seen }, set] = useState(() => {
    const base = draftOf(flag);
    return { base, draft: base, seen: flag };
  });
  const rebase = (current: Draft) =>
    set((state) => ({ ...state, base: current, draft: merge(state.base, state.draft, current) }));
  if (seen !== flag) {
    const current = draftOf(flag);
    set({ base: current, draft: merge(base, draft, current), seen: flag });
  }
  return {
    base,
    draft,
    setDraft: (draft: Draft) => set((state) => ({ ...state, draft })),
    discard: () => set((state) => ({ ...state, draft: state.base })),
    rebase,
  };
}

export function FlagEditor({ feature, flag, part }: FlagEditorProps) {
  const { project, environment } = usePlace();
  const may = useEnvironmentMay(environment.api_key);
  const { base, draft, setDraft, rebase, discard } = useDraft(flag);
  const [isReviewing, setReviewing] = useState(false);
  // Read while the page is being left, before anything is rendered anew.
  const isSaved = useRef(false);
  const names = useNames(project.id, feature.multivariate_options);
  const segments = useSegments(project.id).data?.results ?? [];
  const changes = changesBetween(base, draft);
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) =>
      changes.length > 0 && !isSaved.current && current.pathname !== next.pathname,
    enableBeforeUnload: () => changes.length > 0,
    withResolver: true,
  });
  const mayEdit = may("UPDATE_FEATURE_STATE", feature.tags) || may("CREATE_CHANGE_REQUEST", feature.tags);
  const needsApproval = environment.minimum_change_request_approvals !== null;
  return (
    <Stack>
      <Planned feature={feature.id} />
      {!mayEdit && <Alert color="gray">You can look at this, not change it.</Alert>}
      {part === "value" ? (
        <>
          <Section title={`In ${environment.name}`} description="For everybody who has no override.">
            <StateEditor
              state={draft}
              onChange={setDraft}
              options={feature.multivariate_options}
              label={draft.enabled ? "On" : "Off"}
              disabled={!mayEdit}
            />
          </Section>
          <OptionsEditor feature={feature} mayEdit={mayEdit} />
        </>
      ) : (
        <SegmentOverrides
          draft={draft}
          onChange={setDraft}
          feature={feature}
          segments={segments}
          disabled={!mayEdit}
        />
      )}
      <Transition mounted={changes.length > 0} transition="slide-up">
        {(style) => (
          <Paper
            style={{ ...style, position: "sticky", bottom: 16, zIndex: 5 }}
            shadow="lg"
            p="sm"
            role="region"
            aria-label="Unsaved changes"
          >
            <Group justify="space-between">
              <Text size="sm" fw={600} pl="xs">
                {changes.length === 1 ? "1 unsaved change" : `${changes.length} unsaved changes`}
              </Text>
              <Group gap="xs">
                <Button variant="default" onClick={discard}>
                  Discard
                </Button>
                <Button onClick={() => setReviewing(true)} disabled={!isSound(draft)}>
                  {needsApproval ? "Review and ask for approval" : "Review and save"}
                </Button>
              </Group>
            </Group>
          </Paper>
        )}
      </Transition>
      {isReviewing && (
        <Review
          feature={feature}
          base={base}
          draft={draft}
          names={names}
          onClose={() => setReviewing(false)}
          onRebase={rebase}
          onSaved={() => {
            setReviewing(false);
            isSaved.current = true;
            // What goes live is read again; what waits for its time leaves the flag as it was.
            discard();
            setTimeout(() => {
              isSaved.current = false;
            });
          }}
        />
      )}
      <Confirm
        opened={blocker.status === "blocked"}
        onClose={() => blocker.reset?.()}
        title="Leave without saving?"
        action="Leave"
        onConfirm={async () => blocker.proceed?.()}
      >
        Your changes of {feature.name} are not saved and would be lost.
      </Confirm>
    </Stack>
  );
}
