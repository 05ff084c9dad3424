/** Asks for a change of a segment where the project wants approval: the last step of its form. */
import { Button, Group, Modal, Stack } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { AskFields } from "~/changes/ask-fields";
import { Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";

const REQUESTS = "/api/v1/projects/{project_id}/change-requests/";

interface ProposeSegmentProps {
  /** The segment as it is to be. */
  segment: Schema<"WholeProjectChangeRequestBody">["segments"][number];
  onClose: () => void;
}

export function ProposeSegment({ segment, onClose }: ProposeSegmentProps) {
  const { project, environment } = usePlace();
  const navigate = useNavigate();
  const isNew = segment.version_of == null;
  const [asked, setAsked] = useState({
    title: `${isNew ? "New segment" : "Change"} ${segment.name}`,
    description: "",
    reviewers: [] as string[],
  });
  const ask = useAct(
    () =>
      http.POST(REQUESTS, {
        params: { path: { project_id: project.id } },
        body: {
          title: asked.title,
          description: asked.description,
          segments: [segment],
          approvals: asked.reviewers.map((user) => ({ user: Number(user) })),
        },
      }),
    {
      quiet: true,
      changes: [REQUESTS],
      after: (request: Schema<"ProjectChangeRequestView">) =>
        navigate({
          to: "/project/$project/environment/$environment/project-change-requests/$request",
          params: {
            project: String(project.id),
            environment: environment.api_key,
            request: String(request.id),
          },
        }),
    },
  );
  return (
    <Modal opened onClose={onClose} title="Ask for approval" size="lg">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          ask.mutate();
        }}
      >
        <Stack>
          <Refusal error={ask.error} />
          <AskFields organisation={project.organisation} asked={asked} onChange={setAsked} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Go on editing
            </Button>
            <Button type="submit" loading={ask.isPending} disabled={!asked.title.trim()} data-autofocus>
              Ask for approval
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
