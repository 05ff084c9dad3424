import { createFileRoute } from "@tanstack/react-router";
import { SyncDocument } from "~/audience-sync/sync-document";

export const Route = createFileRoute("/_app/organisation/$organisation/audience-sync/document")({
  component: () => <SyncDocument organisation={Number(Route.useParams().organisation)} />,
});
