/** What a text value looks like, and whether it is well formed. It is advice: flags may hold any text. */

export interface Syntax {
  name: "JSON" | "YAML" | "XML";
  error?: string;
}

/** Recognises what begins like JSON or XML, and YAML of more than one line. */
export async function checkSyntax(text: string): Promise<Syntax | null> {
  const trimmed = text.trim();
  if (/^[{[]/.test(trimmed)) return { name: "JSON", error: jsonError(trimmed) };
  if (/^<[?!a-z]/i.test(trimmed)) return { name: "XML", error: xmlError(trimmed) };
  if (/^(---|[\w.-]+:( |$)|- )/m.test(trimmed) && trimmed.includes("\n")) {
    return { name: "YAML", error: await yamlError(text) };
  }
  return null;
}

function jsonError(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function xmlError(text: string): string | undefined {
  const found = new DOMParser().parseFromString(text, "application/xml").querySelector("parsererror");
  return found ? (found.textContent ?? "").split("\n").slice(0, 2).join(" ").slice(0, 200) : undefined;
}

async function yamlError(text: string): Promise<string | undefined> {
  const { parseDocument } = await import("yaml");
  return parseDocument(text).errors[0]?.message.split("\n")[0];
}

/** JSON with one thing per line. */
export function tidy(json: string): string {
  return JSON.stringify(JSON.parse(json), null, 2);
}
