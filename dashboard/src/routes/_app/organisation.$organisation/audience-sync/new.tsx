import { createFileRoute } from "@tanstack/react-router";
import { useObjects } from "~/audience-sync/objects";
import { Wizard } from "~/audience-sync/wizard";
import { Loaded } from "~/parts/states";

export const Route = createFileRoute("/_app/organisation/$organisation/audience-sync/new")({
  component: NewSync,
});

function NewSync() {
  const organisation = Number(Route.useParams().organisation);
  const query = useObjects(organisation, "syncs");
  return <Loaded query={query}>{() => <Wizard organisation={organisation} />}</Loaded>;
}
