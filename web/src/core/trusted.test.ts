import { afterEach, expect, it, vi } from 'vitest';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

it('lets our own workers pass and nothing else, by one policy', async () => {
  const createPolicy = vi.fn((_name: string, rules: { createScriptURL(url: string): string }) => rules);
  vi.stubGlobal('trustedTypes', { createPolicy });
  const { workerUrl } = await import('./trusted');
  expect(workerUrl('/sw.js')).toBe('/sw.js');
  expect(workerUrl('/assets/pdf.worker-Cf5IY-h3.js')).toBe('/assets/pdf.worker-Cf5IY-h3.js');
  expect(workerUrl('/assets/visitor/pdf.worker-Cf5IY-h3.js')).toBe('/assets/visitor/pdf.worker-Cf5IY-h3.js');
  for (const url of [
    '/f/token',
    '//elsewhere/sw.js',
    '/assets/../f/x.js',
    '/assets/pdf.worker-a.js?b',
    'data:text/javascript,1',
  ])
    expect(() => workerUrl(url), url).toThrow(TypeError);
  expect(createPolicy).toHaveBeenCalledTimes(1);
});

it('needs no policy where a browser knows none', async () => {
  const { workerUrl } = await import('./trusted');
  expect(workerUrl('/sw.js')).toBe('/sw.js');
});
