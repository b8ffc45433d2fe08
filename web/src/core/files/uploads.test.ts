import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StoredFile } from '~/api/types';
import { base64, type Upload, Uploads, type Wire, type WireAnswer } from './uploads';

type Request = Parameters<Wire>[0];

const PART = 4;

/** A server of one-byte patience: it keeps what it gets, and fails as a test tells it to. */
class FakeServer {
  files = new Map<string, { length: number; bytes: string; metadata: string }>();
  log: string[] = [];
  at = 0;
  most = 0;
  /** Takes a request before the server does. */
  meddle: (r: Request) => WireAnswer | 'gone' | undefined = () => undefined;
  /** How often a file is still being looked at when asked. */
  checks = 0;
  ends: StoredFile['state'] = 'ready';

  wire: Wire = async (r) => {
    this.at += 1;
    this.most = Math.max(this.most, this.at);
    try {
      await new Promise((done) => setTimeout(done, 5));
      if (r.signal.aborted) throw new Error('aborted');
      this.log.push(`${r.method} ${r.headers['Upload-Offset'] ?? ''}`.trim());
      const meddled = this.meddle(r);
      if (meddled === 'gone') throw new Error('network');
      return meddled ?? (await this.take(r));
    } finally {
      this.at -= 1;
    }
  };

  read = async (id: string): Promise<StoredFile> => {
    const state = this.checks-- > 0 ? 'checking' : this.ends;
    return { id, name: 'a', size: 1, mime: 'text/plain', state, created_at: 0 };
  };

  private async take(r: Request): Promise<WireAnswer> {
    const id = r.url.slice(r.url.lastIndexOf('/') + 1);
    if (r.method === 'POST') {
      const key = `f${this.files.size + 1}`;
      this.files.set(key, {
        length: Number(r.headers['Upload-Length']),
        bytes: '',
        metadata: r.headers['Upload-Metadata'] ?? '',
      });
      return answer(201, { Location: `/u/${key}`, 'Magpie-File': key });
    }
    const file = this.files.get(id);
    if (!file) return answer(404, {}, 'not_found');
    if (r.method === 'DELETE') {
      this.files.delete(id);
      return answer(204);
    }
    if (r.method === 'PATCH') {
      if (Number(r.headers['Upload-Offset']) !== file.bytes.length) return answer(409, {}, 'upload_offset');
      file.bytes += await (r.body as Blob).text();
    }
    return answer(204, { 'Upload-Offset': String(file.bytes.length) });
  }
}

function answer(status: number, headers: Record<string, string> = {}, code?: string): WireAnswer {
  return {
    status,
    header: (name) => headers[name] ?? null,
    problem: code ? ({ code, status } as WireAnswer['problem']) : undefined,
  };
}

let server: FakeServer;
let states: string[];

function uploads(): Uploads {
  return new Uploads({
    wire: server.wire,
    read: server.read,
    partBytes: PART,
    random: () => 0,
    changed: (u) => {
      const said = `${u.key} ${u.state}`;
      if (states[states.length - 1] !== said) states.push(said);
    },
  });
}

const file = (text: string, name = '报告.txt') => new File([text], name);

/** Time passes until it is so. */
async function until(u: Upload, state: string): Promise<void> {
  for (let i = 0; i < 500 && u.state !== state; i += 1) await vi.advanceTimersByTimeAsync(50);
  expect(u.state).toBe(state);
}

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 40 });
  server = new FakeServer();
  states = [];
});

afterEach(() => {
  vi.useRealTimers();
});

describe('an upload', () => {
  it('goes in parts and keeps its name, whatever letters it has', async () => {
    const u = uploads().add(file('0123456789'), 'org-1');
    await until(u, 'ready');
    expect(server.log).toEqual(['POST', 'PATCH 0', 'PATCH 4', 'PATCH 8']);
    expect(server.files.get('f1')).toMatchObject({ bytes: '0123456789', length: 10 });
    expect(server.files.get('f1')?.metadata).toBe(`filename ${base64('报告.txt')},org ${base64('org-1')}`);
    expect(u.stored?.id).toBe('f1');
    expect(u.sent).toBe(10);
  });

  it('of nothing is an upload too', async () => {
    const u = uploads().add(file(''));
    await until(u, 'ready');
    expect(server.log).toEqual(['POST']);
  });

  it('goes on from where the server is after a cut part, and sends nothing twice', async () => {
    let cut = true;
    server.meddle = (r) => {
      if (r.method !== 'PATCH' || r.headers['Upload-Offset'] !== '4' || !cut) return undefined;
      cut = false;
      const held = server.files.get('f1');
      if (held) held.bytes += '45';
      return 'gone';
    };
    const u = uploads().add(file('0123456789'));
    await until(u, 'ready');
    expect(server.files.get('f1')?.bytes).toBe('0123456789');
    expect(server.log).toEqual(['POST', 'PATCH 0', 'PATCH 4', 'HEAD', 'PATCH 6']);
    expect(states).toContain('1 waiting');
  });

  it('follows a server that stops early or stands elsewhere', async () => {
    const all = uploads();
    let early = true;
    server.meddle = (r) => {
      const held = server.files.get('f1');
      if (r.method !== 'PATCH' || !early || !held) return undefined;
      early = false;
      held.bytes += '0';
      return answer(204, { 'Upload-Offset': '1' });
    };
    const u = all.add(file('0123456'));
    await until(u, 'ready');
    expect(server.log).toEqual(['POST', 'PATCH 0', 'PATCH 1', 'PATCH 5']);
    let elsewhere = true;
    server.meddle = (r) => {
      const held = server.files.get('f2');
      if (r.method !== 'PATCH' || !elsewhere || !held) return undefined;
      elsewhere = false;
      held.bytes = '01';
      return undefined;
    };
    const second = all.add(file('0123456'));
    await until(second, 'ready');
    expect(server.files.get('f2')?.bytes).toBe('0123456');
  });

  it('waits for the network for as long as it takes', async () => {
    let away = true;
    server.meddle = () => (away ? 'gone' : undefined);
    const all = uploads();
    const u = all.add(file('0123'));
    // More than a server that refuses gets.
    while (server.log.length < 12) await vi.advanceTimersByTimeAsync(1_000);
    expect(u.state).not.toBe('failed');
    away = false;
    all.nudge();
    await until(u, 'ready');
  });

  it.each([
    [413, 'file_too_large'],
    [409, 'quota_full'],
    [507, 'storage_full'],
    [422, 'file_name_invalid'],
  ])('ends with %i %s, and begins again when asked to', async (status, code) => {
    server.meddle = (r) => (r.method === 'POST' ? answer(status, {}, code) : undefined);
    const all = uploads();
    const u = all.add(file('0123'));
    await until(u, 'failed');
    expect(u.error?.code).toBe(code);
    expect(server.log).toEqual(['POST']);
    server.meddle = () => undefined;
    all.resume(u.key);
    await until(u, 'ready');
  });

  it('begins anew when the server has forgotten it', async () => {
    const all = uploads();
    let once = true;
    server.meddle = (r) => {
      if (r.method !== 'PATCH' || r.headers['Upload-Offset'] !== '4' || !once) return undefined;
      once = false;
      server.files.clear();
      return undefined;
    };
    const u = all.add(file('01234567'));
    await until(u, 'ready');
    expect(server.log).toEqual(['POST', 'PATCH 0', 'PATCH 4', 'POST', 'PATCH 0', 'PATCH 4']);
  });

  it('is the own file of a guest, who is not in the organisation', async () => {
    server.meddle = (r) =>
      r.method === 'POST' && r.headers['Upload-Metadata']?.includes(',org') ? answer(404, {}, 'not_found') : undefined;
    const u = uploads().add(file('0123'), 'org-1');
    await until(u, 'ready');
    expect(server.files.get('f1')?.metadata).not.toContain('org');
  });

  it('is looked at for a while when it is large', async () => {
    server.checks = 3;
    const u = uploads().add(file('0123'));
    await until(u, 'ready');
    expect(states).toEqual(['1 sending', '1 checking', '1 ready']);
    expect(server.checks).toBe(-1);
  });
});

describe('several uploads', () => {
  it('is told when the server could make no file of it, and is sent anew on a press', async () => {
    server.ends = 'failed';
    const all = uploads();
    const u = all.add(file('0123456789'));
    await until(u, 'failed');
    expect(u.error?.code).toBe('file_lost');
    server.ends = 'ready';
    all.resume(u.key);
    await until(u, 'ready');
    expect(server.log.filter((line) => line === 'POST')).toHaveLength(2);
  });

  it('go two at a time', async () => {
    const all = uploads();
    const many = ['a', 'b', 'c', 'd'].map((name) => all.add(file('01234567', name)));
    expect(many.map((u) => u.state)).toEqual(['sending', 'sending', 'queued', 'queued']);
    for (const u of many) await until(u, 'ready');
    expect(server.most).toBe(2);
    expect([...server.files.values()].every((f) => f.bytes === '01234567')).toBe(true);
  });

  it('give their turn away while they pause, and go on from where they were', async () => {
    const all = uploads();
    const u = all.add(file('0123456789'));
    const next = all.add(file('x'));
    const third = all.add(file('y'));
    await vi.waitFor(() => expect(u.sent).toBeGreaterThanOrEqual(4), { interval: 1 });
    all.pause(u.key);
    expect(u.state).toBe('paused');
    await until(next, 'ready');
    await until(third, 'ready');
    expect(u.state).toBe('paused');
    const before = server.log.length;
    all.resume(u.key);
    await until(u, 'ready');
    expect(server.log[before]).toBe('HEAD');
    expect(server.files.get('f1')?.bytes).toBe('0123456789');
  });

  it('are forgotten on the server when they are taken away', async () => {
    const all = uploads();
    const u = all.add(file('0123456789'));
    await vi.waitFor(() => expect(u.sent).toBeGreaterThanOrEqual(4), { interval: 1 });
    all.cancel(u.key);
    await vi.waitFor(() => expect(server.files.size).toBe(0), { interval: 1 });
    expect(u.state).not.toBe('ready');
  });
});
