/**
 * The token the dashboard signs its requests with.
 *
 * It is kept for this tab, or for this browser when the user asked to stay signed in. Where the server uses cookies that
 * scripts can't read, there is no token to keep, only the fact.
 */
import { useSyncExternalStore } from "react";

const KEY = "burgee-session";
const COOKIE = "cookie";

const listeners = new Set<() => void>();
let current: string | null = read();

function storages(): Storage[] {
  try {
    return [sessionStorage, localStorage];
  } catch {
    return [];
  }
}

function read(): string | null {
  return storages().reduce<string | null>((found, storage) => found ?? storage.getItem(KEY), null);
}

function tell() {
  for (const listener of listeners) listener();
}

function forgetStored() {
  for (const storage of storages()) storage.removeItem(KEY);
}

/** Begins a session. Without a token the server has set a cookie. */
export function begin(token: string | undefined, stay: boolean) {
  current = token ?? COOKIE;
  const [tab, browser] = storages();
  forgetStored();
  (stay ? browser : tab)?.setItem(KEY, current);
  tell();
}

export function end() {
  current = null;
  forgetStored();
  tell();
}

export function isSignedIn(): boolean {
  return current !== null;
}

/** The header that signs a request, where the browser does not send a cookie. */
export function authorization(): string | null {
  return current === null || current === COOKIE ? null : `Token ${current}`;
}

export function useSignedIn(): boolean {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, isSignedIn);
}

// Signing in or out in one tab is signing in or out in all that share the storage.
if (typeof window !== "undefined") {
  window.addEventListener("storage", (event) => {
    if (event.key === KEY) {
      current = read();
      tell();
    }
  });
}
