import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { http } from "~/api/client";
import { fileName, sendFile } from "~/api/files";
import { NARROW, Page } from "~/parts/page";
import { TextField } from "~/parts/text-field";
import { useOrganisations } from "~/shell/place";
import { ExportFile } from "~/transfer/export-file";
import { ImportFile } from "~/transfer/import-file";
import type { Report } from "~/transfer/report";

export const Route = createFileRoute("/_app/organisation/$organisation/import-export")({
  component: OrganisationFiles,
});

function OrganisationFiles() {
  const organisation = Number(Route.useParams().organisation);
  const all = useOrganisations().data?.results ?? [];
  const own = all.find((one) => one.id === organisation)?.name ?? "";
  const [name, setName] = useState("");
  const path = { organisation_id: organisation };
  return (
    <Page
      title="Import and export"
      description={`What is in ${own} as files, and files into it`}
      width={NARROW}
    >
      <ExportFile
        title="The organisation as one file"
        description="All its projects, with members by address, groups, roles and custom fields. Identities are in files of projects."
        name={() => fileName(own, "organisation.json")}
        fetch={({ keys, changes }) =>
          http.GET("/api/v1/organisations/{organisation_id}/export/", {
            params: { path, query: { keys, changes } },
            parseAs: "blob",
          })
        }
      />
      <ImportFile
        said={name}
        title="Import a file"
        description="That of an organisation, or of one project. Projects are found by name, or made; nothing is deleted."
        send={(file, isDry, around) =>
          sendFile<Report>(
            "/api/v1/organisations/{organisation_id}/import/",
            { path, query: { dry_run: isDry, name: name.trim() || undefined } },
            file,
            around,
          )
        }
      >
        <TextField
          label="What the project is called here"
          description="For the file of one project. Empty: as in the file."
          value={name}
          onChange={setName}
          maw={480}
        />
      </ImportFile>
    </Page>
  );
}
