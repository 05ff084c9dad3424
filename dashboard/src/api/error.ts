/** What the API answers when it refuses, in a form that pages can show. */

/** A refusal: its status, one sentence for people, and a sentence for each field that was named. */
export class ApiError extends Error {
  readonly status: number;
  readonly fields: Record<string, string>;
  /** What was answered, as it came. */
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    const fields: Record<string, string> = {};
    const general = collect(body, "", fields);
    super(general.join(" ") || Object.entries(fields).map(sentence).join(" ") || fallback(status));
    this.name = "ApiError";
    this.status = status;
    this.fields = fields;
    this.body = body;
  }
}

const GENERAL = ["detail", "non_field_errors", "message", "error"];

function sentence([field, text]: [string, string]): string {
  return `${field.replaceAll("_", " ")}: ${text}`;
}

/** Walks through the shapes of Django REST framework: texts, lists, objects of them, to any depth. */
function collect(body: unknown, at: string, fields: Record<string, string>): string[] {
  if (typeof body === "string") return [body];
  if (Array.isArray(body)) return body.flatMap((item) => collect(item, at, fields));
  if (body === null || typeof body !== "object") return [];
  const general: string[] = [];
  for (const [key, value] of Object.entries(body)) {
    if (GENERAL.includes(key)) {
      general.push(...collect(value, at, fields));
      continue;
    }
    const path = at ? `${at}.${key}` : key;
    const texts = collect(value, path, fields);
    if (texts.length > 0) fields[path] = texts.join(" ");
  }
  return general;
}

function fallback(status: number): string {
  if (status === 0) return "The server can't be reached.";
  if (status === 403) return "You do not have permission to do this.";
  if (status === 404) return "This is not there (any more), or you may not see it.";
  if (status === 429) return "Too many attempts. Wait a moment and try again.";
  if (status >= 500) return "The server failed. What you entered is still here: try again.";
  return `The server refused this (${status}).`;
}

/** One sentence for people about anything that was thrown. */
export function explain(error: unknown): string {
  return error instanceof Error ? error.message : "Something went wrong.";
}

export function statusOf(error: unknown): number | undefined {
  return error instanceof ApiError ? error.status : undefined;
}
