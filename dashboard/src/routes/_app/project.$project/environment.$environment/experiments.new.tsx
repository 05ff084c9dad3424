import { IconLock } from "@tabler/icons-react";
import { createFileRoute } from "@tanstack/react-router";
import { CreateExperiment } from "~/experiments/create-experiment";
import { ADMIN, useEnvironmentMay } from "~/lib/permissions";
import { Page } from "~/parts/page";
import { Empty } from "~/parts/states";
import { usePlace } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/experiments/new")({
  component: NewExperiment,
});

function NewExperiment() {
  const params = Route.useParams();
  const navigate = Route.useNavigate();
  const { environment } = usePlace();
  const isAdmin = useEnvironmentMay(environment.api_key)(ADMIN);
  return (
    <Page title="New experiment" width={860}>
      {isAdmin ? (
        <CreateExperiment
          onMade={(id) =>
            navigate({
              to: "/project/$project/environment/$environment/experiments/$experiment",
              params: { ...params, experiment: String(id) },
            })
          }
        />
      ) : (
        <Empty icon={<IconLock />} title="This is for administrators">
          Experiments are made by administrators of the environment.
        </Empty>
      )}
    </Page>
  );
}
