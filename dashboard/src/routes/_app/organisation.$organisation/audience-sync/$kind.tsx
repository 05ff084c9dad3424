import { createFileRoute, notFound } from "@tanstack/react-router";
import { isListed, type ListedKind } from "~/audience-sync/kinds";
import { ObjectList } from "~/audience-sync/object-list";

export const Route = createFileRoute("/_app/organisation/$organisation/audience-sync/$kind")({
  beforeLoad: ({ params }) => {
    if (!isListed(params.kind)) throw notFound();
  },
  component: Objects,
});

function Objects() {
  const { organisation, kind } = Route.useParams();
  return <ObjectList key={kind} organisation={Number(organisation)} kind={kind as ListedKind} />;
}
