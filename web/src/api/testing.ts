/** An API for tests that answers with what it is told, typed by the contract. */
import { vi } from 'vitest';
import type { paths } from './types';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type Success = 200 | 201;
type Answer<P extends keyof paths, M extends Method> =
  paths[P] extends Record<M, { responses: infer R }>
    ? Extract<R[keyof R & Success], { content: { 'application/json': unknown } }>['content']['application/json']
    : never;

export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
}

interface Route {
  method: string;
  pattern: RegExp;
  answer: (call: Call) => { status: number; body: unknown };
}

export function fakeApi() {
  const routes: Route[] = [];
  const calls: Call[] = [];
  const patternOf = (path: string) => new RegExp(`^/api/v1${path.replace(/\{\w+\}/g, '[^/]+')}$`);
  vi.stubGlobal('fetch', async (request: Request) => {
    const url = new URL(request.url);
    const text = await request.text();
    const call = {
      method: request.method,
      path: url.pathname,
      query: url.searchParams,
      body: text ? JSON.parse(text) : undefined,
    };
    calls.push(call);
    const route = routes.find((r) => r.method === call.method && r.pattern.test(call.path));
    const { status, body } = route?.answer(call) ?? { status: 404, body: { status: 404, code: 'not_found' } };
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': type } });
  });
  const add = (method: string, path: string, answer: Route['answer']) =>
    routes.unshift({ method: method.toUpperCase(), pattern: patternOf(path), answer });
  return {
    calls,
    on<P extends keyof paths, M extends Method>(method: M, path: P, answer: (call: Call) => Answer<P, M>) {
      add(method, path, (call) => ({ status: 200, body: answer(call) }));
    },
    refuse(method: Method, path: keyof paths, code: string, status: number, field?: string) {
      add(method, path, () => ({ status, body: { status, code, ...(field ? { field } : {}) } }));
    },
  };
}
