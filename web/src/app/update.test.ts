import { beforeEach, expect, test, vi } from 'vitest';
import { entryOf, isUpdated, missingFile } from './update';

const page = (file: string) => `<!doctype html><script type="module" crossorigin src="${file}"></script>`;

beforeEach(() => {
  sessionStorage.clear();
  document.head.innerHTML = '<script type="text/plain" src="/assets/index-old.js"></script>';
});

const server = (answer: () => Response) => vi.stubGlobal('fetch', async () => answer());

test('the entry is the file of the assets that the page starts', () => {
  expect(entryOf(page('/assets/index-ab12.js'))).toBe('/assets/index-ab12.js');
  expect(entryOf(page('/src/main.tsx'))).toBeUndefined();
  expect(entryOf('')).toBeUndefined();
});

test('another build is another entry; an error or no answer says nothing', async () => {
  server(() => new Response(page('/assets/index-old.js')));
  expect(await isUpdated()).toBe(false);
  server(() => new Response(page('/assets/index-new.js')));
  expect(await isUpdated()).toBe(true);
  server(() => new Response('no', { status: 503 }));
  expect(await isUpdated()).toBeUndefined();
  server(() => {
    throw new TypeError('network');
  });
  expect(await isUpdated()).toBeUndefined();
});

test('a missing file reloads once where a new build is the reason, and never for want of a network', async () => {
  const reload = vi.fn();
  server(() => {
    throw new TypeError('network');
  });
  expect(await missingFile(reload)).toBe(false);
  server(() => new Response(page('/assets/index-new.js')));
  expect(await missingFile(reload)).toBe(true);
  expect(await missingFile(reload)).toBe(false);
  expect(reload).toHaveBeenCalledOnce();
});
