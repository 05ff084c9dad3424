import { createFileRoute, notFound } from "@tanstack/react-router";
import { RunView } from "~/audience-sync/run-view";

export const Route = createFileRoute("/_app/organisation/$organisation/audience-sync/runs/$run")({
  beforeLoad: ({ params }) => {
    if (!/^\d+$/.test(params.run)) throw notFound();
  },
  component: OneRun,
});

function OneRun() {
  const { organisation, run } = Route.useParams();
  return <RunView key={run} organisation={Number(organisation)} id={Number(run)} />;
}
