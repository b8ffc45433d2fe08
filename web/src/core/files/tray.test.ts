import * as node from 'node:buffer';
import { beforeEach, expect, it, vi } from 'vitest';
import { openShelf, type Shelf } from './shelf';
import { type Attached, type Chip, Trays } from './tray';
import type { Wire, WireAnswer } from './uploads';

const answer = (status: number, headers: Record<string, string> = {}): WireAnswer => ({
  status,
  header: (name) => headers[name] ?? null,
  problem: undefined,
});

/** Bytes that came, by upload; it takes none while it is shut. */
let there: Map<string, number>;
let shut: boolean;
let log: string[];

const wire: Wire = async ({ method, url, headers, body }) => {
  log.push(`${method} ${headers['Upload-Offset'] ?? headers['Upload-Metadata'] ?? ''}`.trim());
  const id = url.slice(url.lastIndexOf('/') + 1);
  if (method === 'POST') {
    const made = `u${there.size + 1}`;
    there.set(made, 0);
    return answer(201, { Location: `/u/${made}`, 'Magpie-File': made });
  }
  const at = there.get(id);
  if (at === undefined) return answer(404);
  if (method === 'DELETE') there.delete(id);
  if (method === 'PATCH') {
    if (shut && at > 0) return new Promise(() => undefined);
    there.set(id, at + (body?.size ?? 0));
  }
  return answer(204, { 'Upload-Offset': String(there.get(id) ?? 0) });
};

interface Page {
  trays: Trays;
  chips: () => readonly Chip[];
  ready: Attached[];
}

function page(shelf: Shelf | undefined, state = 'uploading'): Page {
  let chips: readonly Chip[] = [];
  const ready: Attached[] = [];
  const trays = new Trays(
    {
      chips: (_, now) => {
        chips = now;
      },
      ready: (_, block) => void ready.push(block),
      refused: () => undefined,
      traced: () => undefined,
    },
    {
      wire,
      about: { conversation: 'c' },
      partBytes: 4,
      read: async (id) => {
        const whole = (there.get(id) ?? 0) >= 10;
        const now = whole ? 'ready' : state;
        return { id, name: 'a.txt', size: 10, mime: 'text/plain', state: now as 'ready', created_at: 0 };
      },
    },
    async () => ({ used: 0, limit: 1e9, file_limit: 1e9 }),
    shelf,
  );
  return { trays, chips: () => chips, ready };
}

const file = () => new File(['0123456789'], 'a.txt');

beforeEach(() => {
  // Those of the test's page lose their bytes in a database.
  vi.stubGlobal('File', node.File);
  vi.stubGlobal('Blob', node.Blob);
  there = new Map();
  shut = false;
  log = [];
});

it('goes on after its page was left where the server is, and is known to the page after that', async () => {
  const place = { host: 'h', person: 'left' };
  shut = true;
  const first = await openShelf(place);
  const left = page(first);
  await left.trays.take('c', undefined, [file()], 0);
  await vi.waitFor(() => expect(there.get('u1')).toBe(4));
  await first?.settled();
  left.trays.close();
  first?.close();

  shut = false;
  log = [];
  const second = await openShelf(place);
  const back = page(second);
  await back.trays.restore('c');
  await vi.waitFor(() => expect(back.ready.map((b) => b.file)).toEqual(['u1']));
  expect(log).toEqual(['HEAD', 'PATCH 4', 'PATCH 8']);
  await second?.settled();
  second?.close();

  const third = await openShelf(place);
  const later = page(third);
  await later.trays.restore('c');
  expect(later.ready.map((b) => b.file)).toEqual(['u1']);
  later.trays.letGo(['u1']);
  expect(await third?.all('c')).toEqual([]);
  third?.close();
});

it('asks for no byte of what was whole when its page was left', async () => {
  const place = { host: 'h', person: 'whole' };
  there.set('u1', 10);
  const shelf = await openShelf(place);
  const row = shelf?.add('c', file());
  if (row) shelf?.put({ ...row, begun: { url: '/u/u1', id: 'u1' } });
  const back = page(shelf);
  await back.trays.restore('c');
  await vi.waitFor(() => expect(back.ready).toHaveLength(1));
  expect(log).toEqual([]);
  shelf?.close();
});

it('rests on the next page too where somebody paused it', async () => {
  const place = { host: 'h', person: 'paused' };
  shut = true;
  const first = await openShelf(place);
  const left = page(first);
  await left.trays.take('c', undefined, [file()], 0);
  await vi.waitFor(() => expect(there.get('u1')).toBe(4));
  left.trays.pause(left.chips()[0]?.key ?? 0);
  await first?.settled();
  left.trays.close();
  first?.close();
  const second = await openShelf(place);
  const back = page(second);
  await back.trays.restore('c');
  expect(back.chips().map((c) => c.state)).toEqual(['paused']);
  back.trays.remove(back.chips()[0]?.key ?? 0);
  await second?.settled();
  expect(await second?.all('c')).toEqual([]);
  expect(there.size, 'the server keeps nothing either').toBe(0);
  second?.close();
});

it('says of each file what it belongs to', async () => {
  const { trays, ready } = page(undefined);
  await trays.take('c', undefined, [file()], 0);
  await vi.waitFor(() => expect(ready).toHaveLength(1));
  expect(log[0]).toBe(`POST filename ${btoa('a.txt')},conversation ${btoa('c')}`);
});
