/** Files that go to the API, with word of how far they are, and files that come from it. */
import type { Path } from "./client";
import { ApiError } from "./error";
import * as session from "./session";

interface Where {
  path: Record<string, string | number>;
  query?: Record<string, string | boolean | undefined>;
}

/** The address of an operation: parameters in their places, what is not said left out. */
export function addressOf(path: Path, { path: parts, query = {} }: Where): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(parts[name])));
  const said = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return said.length > 0 ? `${filled}?${new URLSearchParams(said)}` : filled;
}

/** What a file is, by the end of its name: systems rarely know. */
export function kindOf(file: File): string {
  const name = file.name.toLowerCase();
  if (name.endsWith(".gz")) return "application/gzip";
  if (/\.(ndjson|jsonl)$/.test(name)) return "application/x-ndjson";
  if (name.endsWith(".json")) return "application/json";
  return "text/csv";
}

function answerOf(request: XMLHttpRequest): unknown {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return undefined;
  }
}

interface Sending {
  /** Of `application/…`; that of the file's name unless given. */
  type?: string;
  /** Told how much of the file is there, from 0 to 1. */
  onProgress?: (share: number) => void;
  signal?: AbortSignal;
}

/** Posts a file as the body of a request. Requests by `fetch` do not say how far they are; these do. */
export function sendFile<Answer>(
  path: Path,
  where: Where,
  file: File,
  { type = kindOf(file), onProgress, signal }: Sending = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", addressOf(path, where));
    request.setRequestHeader("Content-Type", type);
    const header = session.authorization();
    if (header) request.setRequestHeader("Authorization", header);
    request.upload.onprogress = ({ loaded, total }) => onProgress?.(total > 0 ? loaded / total : 0);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) return resolve(answerOf(request) as Answer);
      if (request.status === 401 && header === session.authorization()) session.end();
      reject(new ApiError(request.status, answerOf(request)));
    };
    request.onerror = () => reject(new ApiError(0, undefined));
    request.onabort = () => reject(new Error("It was stopped."));
    signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

/** Hands a file to the browser, which keeps it where downloads go. */
export function save(content: Blob, name: string) {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser reads it after the click; a minute is enough to begin.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** A name that every system takes for a file. */
export function fileName(...words: string[]): string {
  return words.join("-").replace(/[^\p{L}\p{N}._-]+/gu, "-");
}
