import { createFileRoute } from "@tanstack/react-router";
import { AuditLog } from "~/audit/log";
import { readAuditSearch } from "~/audit/search";
import { Page } from "~/parts/page";

export const Route = createFileRoute("/_app/organisation/$organisation/audit-log")({
  validateSearch: readAuditSearch,
  component: OrganisationAuditLog,
});

function OrganisationAuditLog() {
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  return (
    <Page title="Audit log" description="Everything that was changed in this organisation, by whom and how">
      <AuditLog
        log={{ organisation: Number(Route.useParams().organisation) }}
        search={search}
        onSearch={(search) => navigate({ search, replace: true })}
      />
    </Page>
  );
}
