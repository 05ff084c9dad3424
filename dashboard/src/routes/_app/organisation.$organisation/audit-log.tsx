import { createFileRoute } from "@tanstack/react-router";
import { AuditLog } from "~/audit/log";
import { readAuditSearch } from "~/audit/search";

export const Route = createFileRoute("/_app/organisation/$organisation/audit-log")({
  validateSearch: readAuditSearch,
  component: OrganisationAuditLog,
});

function OrganisationAuditLog() {
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  return (
    <AuditLog
      log={{ organisation: Number(Route.useParams().organisation) }}
      search={search}
      onSearch={(search) => navigate({ search, replace: true })}
    />
  );
}
