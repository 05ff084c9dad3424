import { createFileRoute, notFound, Outlet } from "@tanstack/react-router";

export const Route = createFileRoute("/_app/project/$project")({
  beforeLoad: ({ params }) => {
    if (!/^\d+$/.test(params.project)) throw notFound();
  },
  component: Outlet,
});
