import { Alert } from "@mantine/core";
import { ApiError, explain } from "~/api/error";

/** What was refused and is not about one of the fields that are shown. */
export function Refusal({ error, fields = [] }: { error: unknown; fields?: string[] }) {
  if (!error) return null;
  if (error instanceof ApiError) {
    const named = Object.keys(error.fields);
    if (named.length > 0 && named.every((field) => fields.includes(field))) return null;
  }
  return (
    <Alert color="red" role="alert">
      {explain(error)}
    </Alert>
  );
}

/** What was refused about one field. */
export function about(error: unknown, field: string): string | undefined {
  return error instanceof ApiError ? error.fields[field] : undefined;
}
