import * as node from 'node:buffer';
import { beforeEach, expect, it, vi } from 'vitest';
import { dropOutbox } from '../db';
import { openShelf, type Shelf } from './shelf';

beforeEach(() => {
  // Those of the test's page lose their bytes in a database.
  vi.stubGlobal('File', node.File);
  vi.stubGlobal('Blob', node.Blob);
});

const place = (person: string) => ({ host: 'h', person });

async function shelf(person: string): Promise<Shelf> {
  const opened = await openShelf(place(person));
  if (!opened) throw new Error('no database');
  return opened;
}

const names = async (s: Shelf) => (await s.all('c')).map(({ row, file }) => row.block?.name ?? file?.name);
const block = (file: string) => ({ type: 'file' as const, file, name: `${file}.pdf`, size: 1, mime: '' });

it('keeps what was chosen, in the order of choosing and of its conversation alone', async () => {
  const first = await shelf('order');
  for (const name of ['b', 'a', 'c']) first.add('c', new File([name], name));
  first.add('other', new File(['x'], 'x'));
  await first.settled();
  first.close();
  const next = await shelf('order');
  expect(await names(next)).toEqual(['b', 'a', 'c']);
  expect(await (await next.all('c'))[1]?.file?.text()).toBe('a');
  next.close();
});

it('keeps of what is whole its name alone, until a message has it', async () => {
  const s = await shelf('whole');
  const row = s.add('c', new File(['bytes'], 'a.pdf'));
  s.put({ ...row, begun: { url: '/u/1', id: '1' } });
  s.put({ ...row, block: block('f1') });
  const [kept] = await s.all('c');
  expect(kept).toEqual({ row: { ...row, block: block('f1') }, file: undefined });
  s.letGo(['f1']);
  expect(await s.all('c')).toEqual([]);
  s.close();
});

it('does not bring back what was taken away by what was written late', async () => {
  const s = await shelf('late');
  const row = s.add('c', new File(['a'], 'a'));
  s.remove(row.id);
  s.put({ ...row, rests: true });
  expect(await s.all('c')).toEqual([]);
  s.close();
});

it('goes with all that a person wrote here', async () => {
  const s = await shelf('gone');
  s.add('c', new File(['secret'], 'secret'));
  await s.settled();
  await dropOutbox(place('gone'));
  const next = await shelf('gone');
  expect(await next.all('c')).toEqual([]);
  next.close();
});
