import { Button, Group, Text, Textarea } from "@mantine/core";
import { createFileRoute, Link, notFound } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
import { MeasuredBy } from "~/experiments/measured-by";
import { ExperimentResults } from "~/experiments/results";
import { controlOf, controlShare, rolloutOf, toBody } from "~/experiments/rollout";
import { RolloutEditor } from "~/experiments/rollout-editor";
import { EXPERIMENTS, StatusBadge } from "~/experiments/status";
import { FLAG_PATHS } from "~/features/use-toggle";
import { Confirm } from "~/parts/confirm";
import { DeleteSection } from "~/parts/delete-section";
import { Form } from "~/parts/form";
import { Page } from "~/parts/page";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { TextField } from "~/parts/text-field";
import { Time } from "~/parts/time";
import { about, Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";

export const Route = createFileRoute(
  "/_app/project/$project/environment/$environment/experiments/$experiment",
)({
  beforeLoad: ({ params }) => {
    if (!/^\d+$/.test(params.experiment)) throw notFound();
  },
  component: ExperimentPage,
});

type Experiment = Schema<"ExperimentDetailView">;

const CHANGED = [EXPERIMENTS, ...FLAG_PATHS];
const ONE = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/";

function ExperimentPage() {
  const id = Number(Route.useParams().experiment);
  const { environment } = usePlace();
  const query = api.useQuery("get", ONE, {
    params: { path: { environment_key: environment.api_key, experiment_id: id } },
  });
  return <Loaded query={query}>{(one) => <OneExperiment key={one.id} experiment={one} />}</Loaded>;
}

function usePath(experiment: Experiment) {
  const { environment } = usePlace();
  return { environment_key: environment.api_key, experiment_id: experiment.id };
}

/** Starting, pausing, ending. */
function Steps({ experiment }: { experiment: Experiment }) {
  const params = { path: usePath(experiment) };
  const [asking, setAsking] = useState(false);
  const start = useAct(
    () => http.POST("/api/v1/environments/{environment_key}/experiments/{experiment_id}/start/", { params }),
    { changes: CHANGED, done: "It runs." },
  );
  const pause = useAct(
    () => http.POST("/api/v1/environments/{environment_key}/experiments/{experiment_id}/pause/", { params }),
    { changes: CHANGED, done: "It is paused: everybody gets what everybody gets." },
  );
  const complete = useAct(
    () =>
      http.POST("/api/v1/environments/{environment_key}/experiments/{experiment_id}/complete/", { params }),
    { quiet: true, changes: CHANGED, done: "It is ended." },
  );
  const { status } = experiment;
  return (
    <>
      {status === "running" && (
        <Button variant="default" loading={pause.isPending} onClick={() => pause.mutate()}>
          Pause
        </Button>
      )}
      {(status === "created" || status === "paused") && (
        <Button loading={start.isPending} onClick={() => start.mutate()}>
          {status === "created" ? "Start" : "Go on"}
        </Button>
      )}
      {(status === "running" || status === "paused") && (
        <Button variant="default" onClick={() => setAsking(true)}>
          End
        </Button>
      )}
      <Confirm
        opened={asking}
        onClose={() => setAsking(false)}
        title={`End ${experiment.name}`}
        action="End it"
        name={experiment.name}
        onConfirm={complete.mutateAsync}
      >
        For good: it can't be started again. Its results are kept as they are then.
      </Confirm>
    </>
  );
}

function Words({ experiment }: { experiment: Experiment }) {
  const path = usePath(experiment);
  const [name, setName] = useState(experiment.name);
  const [hypothesis, setHypothesis] = useState(experiment.hypothesis);
  const save = useAct(() => http.PATCH(ONE, { params: { path }, body: { name: name.trim(), hypothesis } }), {
    quiet: true,
    changes: [EXPERIMENTS],
    done: "Saved.",
  });
  return (
    <Section title="About">
      <Form onSubmit={() => save.mutate()}>
        <Refusal error={save.error} fields={["name", "hypothesis"]} />
        <TextField
          label="Name"
          required
          value={name}
          onChange={setName}
          error={about(save.error, "name")}
          maw={480}
        />
        <Textarea
          label="Hypothesis"
          required
          autosize
          value={hypothesis}
          onChange={(event) => setHypothesis(event.currentTarget.value)}
          error={about(save.error, "hypothesis")}
        />
        <Group>
          <Button
            type="submit"
            variant="default"
            loading={save.isPending}
            disabled={!name.trim() || !hypothesis.trim()}
          >
            Save
          </Button>
        </Group>
      </Form>
    </Section>
  );
}

function Traffic({ experiment }: { experiment: Experiment }) {
  const path = usePath(experiment);
  const { feature, status } = experiment;
  const [rollout, setRollout] = useState(() =>
    rolloutOf(experiment.experiment_rollout, feature.multivariate_options),
  );
  const isOver = status === "completed";
  const save = useAct(
    () =>
      http.PATCH("/api/v1/environments/{environment_key}/experiments/{experiment_id}/rollout/", {
        params: { path },
        body: {
          experiment_rollout: toBody(controlOf(experiment.experiment_rollout, feature), rollout),
        },
      }),
    { quiet: true, changes: CHANGED, done: "Saved." },
  );
  return (
    <Section
      title="Who gets what"
      description={
        status === "running" ? "It runs: a change is served at once." : "Served while the experiment runs."
      }
    >
      <Refusal error={save.error} />
      <RolloutEditor
        options={feature.multivariate_options}
        rollout={rollout}
        onChange={setRollout}
        disabled={isOver}
      />
      {!isOver && (
        <Group>
          <Button
            variant="default"
            loading={save.isPending}
            disabled={controlShare(rollout) < 0}
            onClick={() => save.mutate()}
          >
            Save the shares
          </Button>
        </Group>
      )}
    </Section>
  );
}

function OneExperiment({ experiment }: { experiment: Experiment }) {
  const params = Route.useParams();
  const navigate = Route.useNavigate();
  const path = usePath(experiment);
  const remove = useAct(() => http.DELETE(ONE, { params: { path } }), {
    quiet: true,
    changes: CHANGED,
    done: `${experiment.name} is gone.`,
    after: () => navigate({ to: "/project/$project/environment/$environment/experiments", params }),
  });
  return (
    <Page
      title={experiment.name}
      width={960}
      description={
        <Group gap="xs">
          <StatusBadge status={experiment.status} />
          <Link
            className="row-link mono"
            to="/project/$project/environment/$environment/features/$feature"
            params={{ ...params, feature: String(experiment.feature.id) }}
          >
            {experiment.feature.name}
          </Link>
          {experiment.started_at && (
            <Text span inherit>
              begun <Time at={experiment.started_at} />
              {experiment.ended_at && (
                <>
                  , ended <Time at={experiment.ended_at} />
                </>
              )}
            </Text>
          )}
        </Group>
      }
      actions={<Steps experiment={experiment} />}
    >
      <ExperimentResults
        experiment={experiment.id}
        feature={experiment.feature.name}
        hasBegun={experiment.started_at !== null}
      />
      <Traffic experiment={experiment} />
      <MeasuredBy experiment={experiment} disabled={experiment.status === "completed"} />
      <Words experiment={experiment} />
      <DeleteSection
        what="the experiment"
        about="Nobody is in it any more, and its results are gone."
        name={experiment.name}
        onConfirm={remove.mutateAsync}
      >
        Identities in it get what everybody gets.
      </DeleteSection>
    </Page>
  );
}
