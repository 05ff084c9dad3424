import { Button, Checkbox, Stack, Table } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { IconFlag3, IconPlus } from "@tabler/icons-react";
import { createFileRoute } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { api, type Schema } from "~/api/client";
import { BulkBar } from "~/features/bulk-bar";
import { FeatureRow } from "~/features/feature-row";
import { FilterBar } from "~/features/filter-bar";
import { countFilters, type Filters, PAGE_SIZE, readFilters, toQuery } from "~/features/filters";
import { useToggle } from "~/features/use-toggle";
import { useEnvironmentMay, useProjectMay } from "~/lib/permissions";
import { Page } from "~/parts/page";
import { Pager } from "~/parts/pager";
import { Rows } from "~/parts/rows";
import { Empty, Loaded } from "~/parts/states";
import { useTags } from "~/projects/tags";
import { usePlace } from "~/shell/place";

// The dialogs come when they are asked for: this is the first page of most visits.
const CreateFeature = lazy(() =>
  import("~/features/create-feature").then((module) => ({ default: module.CreateFeature })),
);
const ProposeToggle = lazy(() =>
  import("~/features/propose-toggle").then((module) => ({ default: module.ProposeToggle })),
);

export const Route = createFileRoute("/_app/project/$project/environment/$environment/features/")({
  validateSearch: readFilters,
  component: Features,
});

type Feature = Schema<"FeatureView">;

function Features() {
  const filters = Route.useSearch();
  const navigate = Route.useNavigate();
  const { project, environment } = usePlace();
  const [creating, { open, close }] = useDisclosure();
  const mayCreate = useProjectMay(project.id)("CREATE_FEATURE");
  const query = api.useQuery(
    "get",
    "/api/v1/projects/{project_id}/features/",
    { params: { path: { project_id: project.id }, query: toQuery(filters, environment.id) } },
    // The rows stay while the next ones are on their way.
    { placeholderData: (previous) => previous },
  );
  useHotkeys([["c", () => mayCreate && open()]]);
  const change = (change: Partial<Filters>) =>
    navigate({ search: { ...filters, page: undefined, ...change }, replace: true });
  const isNarrowed = countFilters(filters) > 0 || filters.search !== undefined;
  return (
    <Page
      title="Features"
      description={`What is on, and what it says, in ${environment.name}`}
      actions={
        mayCreate && (
          <Button leftSection={<IconPlus size={16} />} onClick={open}>
            New feature
          </Button>
        )
      }
    >
      <FilterBar filters={filters} onChange={change} />
      <Loaded query={query}>
        {({ results, count }) =>
          count === 0 ? (
            <NoFeatures isNarrowed={isNarrowed} onCreate={mayCreate ? open : undefined} />
          ) : (
            <>
              <FeatureTable features={results} />
              <Pager
                page={filters.page ?? 1}
                size={PAGE_SIZE}
                count={count}
                onChange={(page) => change({ page })}
              />
            </>
          )
        }
      </Loaded>
      {creating && (
        <Suspense>
          <CreateFeature opened onClose={close} />
        </Suspense>
      )}
    </Page>
  );
}

function NoFeatures({ isNarrowed, onCreate }: { isNarrowed: boolean; onCreate?: () => void }) {
  if (isNarrowed)
    return <Empty title="Nothing matches">Another search, or fewer filters, may find it.</Empty>;
  return (
    <Empty
      icon={<IconFlag3 />}
      title="No features yet"
      action={onCreate && <Button onClick={onCreate}>Make the first one</Button>}
    >
      A feature is a switch, and a value, that your programs ask for while they run.
    </Empty>
  );
}

function FeatureTable({ features }: { features: Feature[] }) {
  const { project, environment } = usePlace();
  const tags = useTags(project.id).data?.results ?? [];
  const may = useEnvironmentMay(environment.api_key);
  const toggle = useToggle();
  const [selected, setSelected] = useState<number[]>([]);
  const [proposed, setProposed] = useState<{ feature: Feature; enabled: boolean }>();
  const needsApproval = environment.minimum_change_request_approvals !== null;
  const permission = needsApproval ? "CREATE_CHANGE_REQUEST" : "UPDATE_FEATURE_STATE";
  const shown = features.filter((feature) => selected.includes(feature.id));
  const select = (id: number, isSelected: boolean) =>
    setSelected(isSelected ? [...selected, id] : selected.filter((one) => one !== id));
  return (
    <Stack>
      <Rows
        head={
          <>
            <Table.Th visibleFrom="sm">
              <Checkbox
                aria-label="Select all"
                checked={shown.length === features.length}
                indeterminate={shown.length > 0 && shown.length < features.length}
                onChange={(event) =>
                  setSelected(event.currentTarget.checked ? features.map((one) => one.id) : [])
                }
              />
            </Table.Th>
            <Table.Th>Feature</Table.Th>
            <Table.Th visibleFrom="sm">Value</Table.Th>
            <Table.Th visibleFrom="md">Overrides</Table.Th>
            <Table.Th visibleFrom="xl">Evaluations</Table.Th>
            <Table.Th visibleFrom="lg">Owners</Table.Th>
            <Table.Th visibleFrom="lg">Changed</Table.Th>
            <Table.Th>On</Table.Th>
          </>
        }
      >
        {features.map((feature) => (
          <FeatureRow
            key={feature.id}
            feature={feature}
            tags={tags}
            isSelected={selected.includes(feature.id)}
            onSelect={(isSelected) => select(feature.id, isSelected)}
            mayToggle={may(permission, feature.tags)}
            onToggle={(enabled) =>
              needsApproval ? setProposed({ feature, enabled }) : toggle.mutate({ feature, enabled })
            }
          />
        ))}
      </Rows>
      <BulkBar selected={shown} onDone={() => setSelected([])} />
      {proposed && (
        <Suspense>
          <ProposeToggle {...proposed} onClose={() => setProposed(undefined)} />
        </Suspense>
      )}
    </Stack>
  );
}
