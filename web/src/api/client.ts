/** The one way to the HTTP API. Every failure becomes an `AppError`; nothing else is thrown. */
import createClient from 'openapi-fetch';
import type { Problem, paths } from './types';

export class AppError extends Error {
  constructor(
    /** A code of the server's table, or `network` when no answer came. */
    readonly code: string,
    readonly status: number,
    readonly problem?: Pick<Problem, 'code'> & Partial<Problem>,
  ) {
    super(code);
    this.name = 'AppError';
  }
  get field(): string | undefined {
    return this.problem?.field;
  }
  get context(): Record<string, unknown> {
    return this.problem?.context ?? {};
  }
  get requestId(): string | undefined {
    return this.problem?.request_id;
  }
  /** The same request may succeed later without being changed. */
  get transient(): boolean {
    return this.status === 0 || this.status >= 500 || this.status === 408 || this.status === 429;
  }
}

export function asAppError(error: unknown): AppError {
  return error instanceof AppError ? error : new AppError('client', -1);
}

const TIMEOUT_MS = 20_000;

/** `fetch` that gives up: a request that never answers would keep its screen waiting for ever. */
async function timedFetch(request: Request): Promise<Response> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  try {
    return await fetch(new Request(request, { signal: abort.signal, credentials: 'same-origin' }));
  } finally {
    clearTimeout(timer);
  }
}

export const client = createClient<paths>({
  baseUrl: `${globalThis.location?.origin ?? 'http://localhost'}/api/v1`,
  fetch: timedFetch,
  headers: { 'X-Magpie-CSRF': '1', 'Magpie-Api-Level': '1' },
});

type Listener = () => void;
let unauthenticated: Listener = () => {};

/** Called when the server no longer knows this session. */
export function onUnauthenticated(listener: Listener): void {
  unauthenticated = listener;
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Awaits an answer of `client` and gives its data, or throws an `AppError`. */
export async function ask<T>(answer: Promise<Answer<T>>): Promise<T> {
  let got: Answer<T>;
  try {
    got = await answer;
  } catch {
    throw new AppError('network', 0);
  }
  if (got.response.ok) return got.data as T;
  const problem = isProblem(got.error) ? got.error : undefined;
  if (problem?.code === 'unauthenticated') unauthenticated();
  throw new AppError(problem?.code ?? 'internal', got.response.status, problem);
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && typeof (value as Problem).code === 'string';
}
