import { SegmentedControl } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
import { Page } from "~/parts/page";
import { CreateList } from "~/segments/lists/create-list";
import { SegmentForm } from "~/segments/segment-form";
import { useSegmentWay } from "~/segments/way";
import { usePlace } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/segments/new")({
  validateSearch: (search: Record<string, unknown>): { by?: "list" } => ({
    by: search.by === "list" ? "list" : undefined,
  }),
  component: NewSegment,
});

function NewSegment() {
  const params = Route.useParams();
  const { by } = Route.useSearch();
  const navigate = Route.useNavigate();
  const { project } = usePlace();
  const way = useSegmentWay(project);
  const show = (segment: number) =>
    navigate({
      to: "/project/$project/environment/$environment/segments/$segment",
      params: { ...params, segment: String(segment) },
    });
  return (
    <Page title="New segment" width={960}>
      <SegmentedControl
        aria-label="How it is said who is in it"
        size="sm"
        data={[
          { value: "rules", label: "By rules" },
          { value: "list", label: "By a list" },
        ]}
        value={by ?? "rules"}
        onChange={(value) =>
          navigate({ search: { by: value === "list" ? "list" : undefined }, replace: true })
        }
        style={{ alignSelf: "flex-start" }}
      />
      {by === "list" ? (
        <CreateList disabled={way !== "save"} onMade={({ segment }) => show(segment)} />
      ) : (
        <SegmentForm way={way} onSaved={({ id }) => show(id)} />
      )}
    </Page>
  );
}
