import { beforeEach, expect, test, vi } from 'vitest';
import type { Attached, Chip, Trays } from '~/features/files';
import { send } from './actions';
import { takeFiles } from './attach';
import { forgetDrafts } from './drafts';
import { chat, forgetChat, putConversations } from './store';
import { conversation } from './testing';
import { chatUi, putTray } from './ui';

const made = vi.hoisted(() => ({ home: undefined as unknown }));
vi.mock('~/features/files', () => ({
  Trays: class {
    size = 0;
    constructor(home: unknown) {
      made.home = home;
    }
    take = async () => undefined;
  },
  bytesText: String,
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
