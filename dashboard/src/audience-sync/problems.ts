/** Where a refusal of the API belongs in a form. */
import { ApiError, explain } from "~/api/error";

export interface Problems {
  /** What is wrong with a field, by its name: `schedule.cron`, `token`. */
  fields: Record<string, string>;
  /** What is wrong elsewhere, a sentence each. */
  general: string[];
}

/**
 * Sorts a refusal by the fields that a form has. An object is checked together with all syncs that use it: a path outside
 * of the folder is told of `syncs.daily.path`, and belongs beside the path.
 */
export function problemsOf(error: unknown, fields: string[]): Problems {
  const problems: Problems = { fields: {}, general: [] };
  if (!error) return problems;
  if (!(error instanceof ApiError) || Object.keys(error.fields).length === 0)
    return { fields: {}, general: [explain(error)] };
  for (const [place, text] of Object.entries(error.fields)) {
    const name = fields.includes(place) ? place : place.replace(/^syncs\.[\w-]+\./, "");
    if (fields.includes(name)) problems.fields[name] ??= text;
    else problems.general.push(`${place}: ${text}`);
  }
  return problems;
}
