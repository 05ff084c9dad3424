import { createFileRoute } from "@tanstack/react-router";
import { AuditLog } from "~/audit/log";
import { readAuditSearch } from "~/audit/search";
import { Page } from "~/parts/page";
import { usePlace } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/audit-log")({
  validateSearch: readAuditSearch,
  component: ProjectAuditLog,
});

function ProjectAuditLog() {
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  const { project } = usePlace();
  return (
    <Page title="Audit log" description={`Everything that was changed in ${project.name}, by whom and how`}>
      <AuditLog
        log={{ organisation: project.organisation, project: project.id }}
        search={search}
        onSearch={(search) => navigate({ search, replace: true })}
      />
    </Page>
  );
}
