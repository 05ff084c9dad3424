import { createFileRoute } from "@tanstack/react-router";
import { http } from "~/api/client";
import { Arrival } from "~/session/arrival";

export const Route = createFileRoute("/oidc")({
  validateSearch: (search: Record<string, unknown>) => ({ code: search.code ? String(search.code) : null }),
  component: FromOidc,
});

function FromOidc() {
  const { code } = Route.useSearch();
  return (
    <Arrival
      given={code}
      exchange={(access_token) => http.POST("/api/v1/auth/oidc/login/", { body: { access_token } })}
    />
  );
}
