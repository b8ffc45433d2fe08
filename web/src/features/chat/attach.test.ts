import { beforeEach, expect, test, vi } from 'vitest';
import type { Attached, Chip, Trays } from '~/features/files';
import { send } from './actions';
import { takeFiles, takeOriginals } from './attach';
import { forgetDrafts } from './drafts';
import { chat, forgetChat, putConversations } from './store';
import { conversation } from './testing';
import { chatUi, putTray } from './ui';

const made = vi.hoisted(() => ({
  home: undefined as unknown,
  keys: 0,
  taken: [] as string[],
  removed: [] as number[],
  preparing: [] as (number | undefined)[],
}));
vi.mock('~/features/files', () => ({
  Trays: class {
    size = 0;
    constructor(given: unknown) {
      made.home = given;
    }
    take = async (id: string, _org: string | undefined, files: readonly File[]) => {
      for (const file of files) {
        made.taken.push(file.name);
        const key = ++made.keys;
        const old = chatUi.getState().trays[id]?.chips ?? [];
        const one = { key, name: file.name, size: file.size, sent: 0, state: 'sending', preview: `blob:${key}` };
        home().chips(id, [...old, one as Chip]);
      }
    };
    remove = (key: number) => {
      made.removed.push(key);
      home().chips(
        'c',
        (tray()?.chips ?? []).filter((c) => c.key !== key),
      );
    };
  },
  removeFile: vi.fn(async () => undefined),
  bytesText: String,
  MOST: 20,
}));
vi.mock('~/core/photos', () => ({
  isHeavy: (file: File) => file.name.startsWith('heavy'),
  lighter: async (file: File) => {
    made.preparing.push(tray()?.preparing);
    // Sent meanwhile.
    putTray('c', { armed: true });
    return new File(['s'], `small-${file.name}`);
  },
}));
vi.mock('./actions', () => ({ send: vi.fn(async () => undefined) }));

const home = () => made.home as ConstructorParameters<typeof Trays>[0];
const tray = () => chatUi.getState().trays.c;
const chip = { key: 1, name: 'a.heic', size: 1, sent: 1, state: 'checking' } as Chip;
const block: Attached = { type: 'file', file: 'f', name: 'a.heic', size: 1, mime: 'image/heic' };

beforeEach(async () => {
  forgetChat();
  forgetDrafts();
  chatUi.setState({ trays: {} });
  made.taken = [];
  made.removed = [];
  vi.mocked(send)
    .mockReset()
    .mockResolvedValue(undefined as never);
  putConversations([conversation()], 'server');
  await takeFiles('c', [new File(['a'], 'a.heic')]);
  home().chips('c', [chip]);
  putTray('c', { armed: true });
});

test('a message that waits goes when its files are there', () => {
  home().ready('c', block, undefined);
  home().chips('c', []);
  expect(send).toHaveBeenCalledOnce();
});

test('a file that still tells where it was made holds it back, and choosing another keeps that said', async () => {
  home().ready('c', block, undefined);
  home().traced('c', 'a.heic');
  home().chips('c', []);
  expect(send).not.toHaveBeenCalled();
  expect(tray()).toMatchObject({ armed: false, traced: [expect.any(String)] });
  await takeFiles('c', [new File(['b'], 'b.png')]);
  expect(tray()?.traced).toHaveLength(1);
  // The next message begins without it.
  chat.setState({ drafts: {} });
  await takeFiles('c', [new File(['b'], 'b.png')]);
  expect(tray()?.traced).toHaveLength(0);
});

const photo = (name: string) => new File(['original'], name);

test('photographs go small, in the order of choosing, and the message waits while they are made so', async () => {
  putTray('c', { armed: false });
  home().chips('c', []);
  made.taken = [];
  made.preparing = [];
  await takeFiles('c', [photo('heavy-1'), photo('light'), photo('heavy-2')]);
  expect(made.preparing).toEqual([2, 1]);
  expect(made.taken).toEqual(['small-heavy-1', 'light', 'small-heavy-2']);
  expect(tray()?.preparing).toBe(0);
  expect(send).not.toHaveBeenCalled();
});

test('as files they go as they are', async () => {
  made.taken = [];
  await takeFiles('c', [photo('heavy')], { exact: true });
  expect(made.taken).toEqual(['heavy']);
});

test('an original takes the place of the smaller one, on its way or there, and of nothing that went before', async () => {
  home().chips('c', []);
  made.taken = [];
  await takeFiles('c', [photo('heavy-there'), photo('heavy-coming')]);
  const [there, coming] = tray()?.chips ?? [];
  home().ready('c', { ...block, file: 'small' }, there?.preview);
  home().chips('c', coming ? [coming] : []);
  putTray('c', { originals: { ...tray()?.originals, gone: photo('heavy-of-another-message') } });
  made.taken = [];
  await takeOriginals('c');
  expect(made.taken.sort()).toEqual(['heavy-coming', 'heavy-there']);
  expect(made.removed).toContain(coming?.key);
  expect(chat.getState().drafts.c?.files ?? []).toEqual([]);
  expect(tray()?.originals).toEqual({});
});
