/** Calls to the JSON API, with errors said in plain words. */
import type { Answer, Catalogue, Question } from "./types";
import { key } from "./questions";

export class ApiError extends Error {
  readonly signedOut: boolean;

  constructor(message: string, signedOut = false) {
    super(message);
    this.signedOut = signedOut;
  }
}

const LIMIT_MS = 20_000;

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  let response: Response;
  try {
    response = await fetch(path, {
      headers: { accept: "application/json" },
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    if (limit.aborted) throw new ApiError(`no answer after ${LIMIT_MS / 1000} s`);
    throw new ApiError(navigator.onLine ? "the server cannot be reached" : "this device is offline");
  }
  if (response.status === 401 || response.status === 403) throw new ApiError("the session has ended", true);
  if (!response.ok) throw new ApiError(await reason(response));
  return (await response.json()) as T;
}

async function reason(response: Response): Promise<string> {
  try {
    const body = (await response.json()) as { error?: { message?: unknown }; detail?: unknown };
    const message = body.error?.message ?? body.detail;
    if (typeof message === "string") return message;
  } catch {
    // The status alone has to do.
  }
  return `the server answered ${response.status}`;
}

export function askCatalogue(): Promise<Catalogue> {
  return get<Catalogue>("/v1/metrics");
}

export interface Workspace {
  /** No event was ever recorded. */
  empty: boolean;
}

export function askWorkspace(): Promise<Workspace> {
  return get<Workspace>("/v1/workspace");
}

export function ask(question: Question, signal?: AbortSignal): Promise<Answer> {
  return get<Answer>(`/v1/query?${key(question)}`, signal);
}

export function liveAddress(question: Question): string {
  return `/v1/live?${key(question)}`;
}
