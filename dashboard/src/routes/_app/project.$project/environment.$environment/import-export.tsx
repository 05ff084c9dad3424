import { Code, Text } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { createFileRoute } from "@tanstack/react-router";
import { http, type Schema } from "~/api/client";
import { fileName, sendFile } from "~/api/files";
import { ADMIN, useEnvironmentMay, useProjectMay } from "~/lib/permissions";
import { Page } from "~/parts/page";
import { Empty } from "~/parts/states";
import { usePlace } from "~/shell/place";
import { ExportFile } from "~/transfer/export-file";
import { FeatureExports, FeatureImports } from "~/transfer/feature-files";
import { ImportFile } from "~/transfer/import-file";
import { LaunchDarklyImport } from "~/transfer/launch-darkly";
import { ofProject } from "~/transfer/report";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/import-export")({
  component: ImportExport,
});

function ImportExport() {
  const { project, environment } = usePlace();
  const isAdmin = useProjectMay(project.id)(ADMIN);
  const isAdminHere = useEnvironmentMay(environment.api_key)(ADMIN);
  const path = { project_id: project.id };
  return (
    <Page
      title="Import and export"
      description={`What is in ${project.name} as files, and files into it`}
      width={860}
    >
      {!isAdmin && !isAdminHere && (
        <Empty icon={<IconLock />} title="This is for administrators">
          Files are written and taken in by administrators of the project, or of one of its environments.
        </Empty>
      )}
      {isAdmin && (
        <>
          <ExportFile
            title="The project as one file"
            description="Settings, features, segments, environments and overrides, for another organisation or another installation."
            hasIdentities
            name={({ identities }) => fileName(project.name, `project.${identities ? "ndjson" : "json"}`)}
            fetch={(query) =>
              http.GET("/api/v1/projects/{project_id}/export/", {
                params: { path, query },
                parseAs: "blob",
              })
            }
          />
          <ImportFile
            title="Import the file of a project"
            description="What is in it is made or changed, by names; nothing is deleted, and all of it happens or nothing."
            send={async (file, isDry, around) =>
              ofProject(
                await sendFile<Schema<"ProjectImport">>(
                  "/api/v1/projects/{project_id}/import/",
                  { path, query: { dry_run: isDry } },
                  file,
                  around,
                ),
              )
            }
          />
        </>
      )}
      {isAdminHere && (
        <>
          <FeatureExports />
          <FeatureImports />
        </>
      )}
      {isAdmin && <LaunchDarklyImport />}
      {isAdmin && (
        <Text size="sm" c="dimmed">
          From Flagsmith a whole installation comes over by the command line, with keys, ids and passwords:{" "}
          <Code>burgee import flagsmith --database-url … --dry-run</Code>
        </Text>
      )}
    </Page>
  );
}
