import { act, fireEvent, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { fakeApi } from '~/api/testing';
import type { OutboxRow } from '~/core/outbox';
import { settings } from '~/core/settings';
import { session } from '~/core/store/session';
import { show } from '~/ui/testing';
import { setServices } from '../live';
import { chat, forgetChat, putConversations, putHistory, setMembers } from '../store';
import { conversation, ME, message } from '../testing';
import { chatUi, closeAll } from '../ui';
import { Composer } from './Composer';

const sent: Partial<OutboxRow>[] = [];
const typing = vi.fn();

function open(more = {}) {
  putConversations([conversation(more)], 'server');
  show(<Composer conversation={conversation(more)} title="产品周会" />);
  return screen.getByRole('textbox', { name: '写消息' }) as HTMLTextAreaElement;
}

beforeEach(() => {
  forgetChat();
  closeAll();
  sent.length = 0;
  settings.setState({ enterSends: true });
  session.setState({ me: { id: ME, name: 'Me', kind: 'person', created_at: 0 } });
  setServices({
    outbox: { add: async (row: OutboxRow) => void sent.push(row) },
    realtime: { typing },
  } as never);
});

const texts = () => sent.map((row) => (row.body?.kind === 'blocks' ? row.body.blocks : row.body));

describe('composer', () => {
  test('Enter sends and empties, Shift+Enter is a new line', async () => {
    const user = userEvent.setup();
    const area = open();
    await user.type(area, '第一行{Shift>}{Enter}{/Shift}第二行{Enter}');
    expect(texts()).toEqual([[{ type: 'text', text: '第一行\n第二行' }]]);
    expect(area.value).toBe('');
  });

  test('the Enter that commits pinyin does not send', () => {
    const area = open();
    fireEvent.change(area, { target: { value: 'ni hao' } });
    fireEvent.keyDown(area, { key: 'Enter', isComposing: true });
    fireEvent.keyDown(area, { key: 'Enter', keyCode: 229 });
    expect(sent).toEqual([]);
  });

  test('with the setting off, Enter is a new line and Ctrl+Enter sends', async () => {
    settings.setState({ enterSends: false });
    const user = userEvent.setup();
    const area = open();
    await user.type(area, '一{Enter}二{Control>}{Enter}{/Control}');
    expect(texts()).toEqual([[{ type: 'text', text: '一\n二' }]]);
  });

  test('nothing but space is not sent', async () => {
    const user = userEvent.setup();
    await user.type(open(), '  {Enter}');
    expect(sent).toEqual([]);
    expect((screen.getByRole('button', { name: '发送' }) as HTMLButtonElement).disabled).toBe(true);
  });

  test('@ or ＠ offers members, arrows and Enter choose, equal names are told apart', async () => {
    const member = { role: 'member' as const, joined_seq: 0, left: false };
    setMembers('c', [
      { ...member, user: 'u-1111', name: '张伟' },
      { ...member, user: 'u-2222', name: '张伟' },
      { ...member, user: ME, name: '张我' },
    ]);
    putConversations([conversation()], 'server');
    const user = userEvent.setup();
    const area = open();
    await user.type(area, '＠张');
    const options = (await screen.findAllByRole('option')).map((o) => o.textContent);
    expect(options).toHaveLength(2);
    expect(new Set(options).size).toBe(2);
    await user.keyboard('{ArrowDown}{Enter}好{Enter}');
    expect(texts()).toEqual([
      [
        { type: 'mention', user: 'u-2222' },
        { type: 'text', text: ' 好' },
      ],
    ]);
    expect(sent[0]?.mentions).toEqual(['u-2222']);
  });

  test('↑ in an empty composer edits the last message of mine, Escape leaves it', async () => {
    const api = fakeApi();
    api.on('patch', '/conversations/{id}/messages/{seq}', (call) => message(2, call.body as object) as never);
    const now = Date.now();
    putConversations([conversation()], 'server');
    const mine = message(2, { sender: { kind: 'person', id: ME }, sent_at: now });
    const head = { seq: 3, n: 3, rev: 3, mention_all_n: 0, changed_at: now };
    act(() => void putHistory('c', { items: [message(1), mine, message(3)], rev: 3, head }, { from: 1, to: 3 }));
    const user = userEvent.setup();
    const area = open();
    await user.type(area, '{ArrowUp}');
    expect(area.value).toBe('text 2');
    await user.keyboard('{Escape}');
    expect(area.value).toBe('');
    await user.keyboard('{ArrowUp}!{Enter}');
    expect(sent).toEqual([]);
    expect(api.calls.map((c) => `${c.method} ${c.path}`)).toEqual(['PATCH /api/v1/conversations/c/messages/2']);
    expect(chatUi.getState().editing).toBeUndefined();
  });

  test('what is written stays as a draft of this conversation', async () => {
    const user = userEvent.setup();
    await user.type(open(), '写到一半');
    expect(chat.getState().drafts.c?.text).toBe('写到一半');
    expect(typing).toHaveBeenCalledWith('c');
  });

  test('where one may not post it says so', () => {
    putConversations([conversation()], 'server');
    show(
      <Composer
        conversation={conversation({
          can: { post: false, attach: false, rename: false, add: false, mention_all: false, ask_ack: false },
        })}
        title="x"
      />,
    );
    expect(screen.queryByRole('textbox')).toBeNull();
    expect(screen.getByText('你不能在这里发消息')).toBeTruthy();
  });
});
