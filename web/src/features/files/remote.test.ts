import { expect, it, vi } from 'vitest';
import { AppError } from '~/api/client';
import { faultOf, Remote, type RemoteOptions } from './remote';

const BYTES = new Uint8Array(1000).map((_, i) => i % 251);

/** A server that holds `BYTES`, and answers by `turn` where that has something to say. */
function served(turn: (call: number) => Response | Error | undefined = () => undefined) {
  const ranges: string[] = [];
  const get = (async (_url: string, init: RequestInit) => {
    const range = new Headers(init.headers).get('range') ?? '';
    ranges.push(range);
    const own = turn(ranges.length);
    if (own instanceof Error) throw own;
    if (own) return own;
    const [from = 0, to = 0] = range.replace('bytes=', '').split('-').map(Number);
    return new Response(BYTES.slice(from, to + 1), { status: 206 });
  }) as typeof fetch;
  const link = vi.fn(async () => ({ url: '/f/one', expires_at: Number.MAX_SAFE_INTEGER }));
  const options: RemoteOptions = { get, link, random: () => 0 };
  return { ranges, link, options };
}

it('reads the part that is asked for, with one address for all of them', async () => {
  const { ranges, link, options } = served();
  const remote = new Remote('f', 1000, options);
  const [a, b] = await Promise.all([remote.read(0, 10), remote.read(990, 2000)]);
  expect(new Uint8Array(a)).toEqual(BYTES.slice(0, 10));
  expect(b.byteLength).toBe(10);
  expect(ranges).toEqual(['bytes=0-9', 'bytes=990-999']);
  await remote.read(5, 6);
  expect(link.mock.calls.length).toBeLessThanOrEqual(2);
});

it('asks for a new address when one ends, and for one only', async () => {
  const late = served((call) => (call === 1 ? new Response(null, { status: 404 }) : undefined));
  const remote = new Remote('f', 1000, late.options);
  expect((await remote.read(0, 4)).byteLength).toBe(4);
  expect(late.link).toHaveBeenCalledTimes(2);
  const gone = served(() => new Response(null, { status: 404 }));
  await expect(new Remote('f', 1000, gone.options).read(0, 4)).rejects.toMatchObject({ code: 'not_found' });
  const old = served();
  const ends = new Remote('f', 1000, { ...old.options, now: () => Number.MAX_SAFE_INTEGER - 1 });
  await ends.read(0, 1);
  await ends.read(1, 2);
  expect(old.link).toHaveBeenCalledTimes(2);
});

it('tells a file that is lost on the server from one that may not be seen and from a server in trouble', async () => {
  for (const [status, why] of [
    [410, 'lost'],
    [404, 'gone'],
    [400, 'failed'],
  ] as const) {
    const lost = served(() => new Response(null, { status }));
    const error = await new Remote('f', 1000, lost.options).read(0, 4).catch((thrown) => thrown);
    expect(faultOf(error)).toBe(why);
    // Only an address may have ended.
    expect(lost.ranges.length).toBe(status === 404 ? 2 : 1);
  }
});

it('waits for the network, says so, and goes on when it is back; a short answer is no end', async () => {
  const cut = served((call) =>
    call === 1 ? new TypeError('failed') : call === 2 ? new Response('ab', { status: 206 }) : undefined,
  );
  const said: boolean[] = [];
  const remote = new Remote('f', 1000, { ...cut.options, waiting: (on) => said.push(on) });
  const reading = remote.read(0, 10);
  await vi.waitFor(() => expect(said).toEqual([true]));
  remote.nudge();
  await vi.waitFor(() => expect(said.filter(Boolean).length).toBe(2));
  remote.nudge();
  expect((await reading).byteLength).toBe(10);
  expect(said.at(-1)).toBe(false);
});

it('believes at last a server that refuses, and reads nothing once it is closed', async () => {
  const never = served(() => new Response(null, { status: 400 }));
  await expect(new Remote('f', 1000, never.options).read(0, 4)).rejects.toBeInstanceOf(AppError);
  expect(never.ranges.length).toBe(1);
  const away = served(() => new TypeError('failed'));
  const remote = new Remote('f', 1000, away.options);
  const reading = remote.read(0, 4);
  await vi.waitFor(() => expect(away.ranges.length).toBe(1));
  remote.close();
  await expect(reading).rejects.toBeInstanceOf(AppError);
});

it('takes a whole file for the part it needs of it', async () => {
  const whole = served(() => new Response(BYTES, { status: 200 }));
  const part = await new Remote('f', 1000, whole.options).read(3, 6);
  expect(new Uint8Array(part)).toEqual(BYTES.slice(3, 6));
});

it('asks for a large part in pieces and puts them together', async () => {
  const size = 2_500_000;
  const get = (async (_url: string, init: RequestInit) => {
    const [from = 0, to = 0] = (new Headers(init.headers).get('range') ?? '')
      .replace('bytes=', '')
      .split('-')
      .map(Number);
    return new Response(
      Uint8Array.from({ length: to + 1 - from }, (_, i) => (from + i) % 251),
      { status: 206 },
    );
  }) as typeof fetch;
  const link = async () => ({ url: '/f/one', expires_at: Number.MAX_SAFE_INTEGER });
  const bytes = new Uint8Array(await new Remote('f', size, { get, link }).read(7, size));
  expect(bytes.length).toBe(size - 7);
  for (const i of [0, 1_048_575, 1_048_576, 2_097_152, size - 8]) expect(bytes[i]).toBe((i + 7) % 251);
});

it('has four parts on their way at most', async () => {
  let at = 0;
  let most = 0;
  const link = async () => ({ url: '/f/one', expires_at: Number.MAX_SAFE_INTEGER });
  const get = (async (_url: string, init: RequestInit) => {
    at += 1;
    most = Math.max(most, at);
    await new Promise((go) => setTimeout(go, 1));
    at -= 1;
    const [from = 0, to = 0] = (new Headers(init.headers).get('range') ?? '')
      .replace('bytes=', '')
      .split('-')
      .map(Number);
    return new Response(BYTES.slice(from, to + 1), { status: 206 });
  }) as typeof fetch;
  const remote = new Remote('f', 1000, { get, link });
  await Promise.all(Array.from({ length: 20 }, (_, i) => remote.read(i, i + 1)));
  expect(most).toBe(4);
});
