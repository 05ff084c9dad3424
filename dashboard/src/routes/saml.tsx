import { createFileRoute } from "@tanstack/react-router";
import { http } from "~/api/client";
import { Arrival } from "~/session/arrival";

export const Route = createFileRoute("/saml")({
  validateSearch: (search: Record<string, unknown>) => ({ code: search.code ? String(search.code) : null }),
  component: FromSaml,
});

function FromSaml() {
  const { code } = Route.useSearch();
  return (
    <Arrival
      given={code}
      exchange={(access_token) => http.POST("/api/v1/auth/saml/login/", { body: { access_token } })}
    />
  );
}
