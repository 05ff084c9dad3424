/** What happened to a feature here: its versions where the environment keeps them, the audit log otherwise. */
import { Alert, Anchor, Stack } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { api, type Schema } from "~/api/client";
import { AuditEntry } from "~/audit/entry";
import { Empty, Loaded } from "~/parts/states";
import { usePlace } from "~/shell/place";
import { Versions } from "./versions";

type Feature = Schema<"FeatureView">;

function Log({ feature }: { feature: Feature }) {
  const { project, environment } = usePlace();
  const query = api.useQuery("get", "/api/v1/projects/{project_id}/audit/", {
    params: {
      path: { project_id: project.id },
      query: { search: feature.name, environments: [environment.id], page_size: 30 },
    },
  });
  return (
    <Stack>
      <Alert icon={<IconHistory />}>
        This environment keeps no versions of features, only the lines of the audit log. Versions can be
        compared and restored; they are turned on in the{" "}
        <Link
          to="/project/$project/environment/$environment/settings"
          params={{ project: String(project.id), environment: environment.api_key }}
        >
          <Anchor component="span" inherit>
            settings of the environment
          </Anchor>
        </Link>
        .
      </Alert>
      <Loaded query={query} rows={4}>
        {({ results }) =>
          results.length === 0 ? (
            <Empty icon={<IconHistory />} title="Nothing has happened yet" />
          ) : (
            <div>
              {results.map((entry) => (
                <AuditEntry
                  key={entry.id}
                  entry={entry}
                  log={{ organisation: project.organisation, project: project.id }}
                />
              ))}
            </div>
          )
        }
      </Loaded>
    </Stack>
  );
}

export function History({ feature }: { feature: Feature }) {
  const { environment } = usePlace();
  return environment.use_v2_feature_versioning ? <Versions feature={feature} /> : <Log feature={feature} />;
}
