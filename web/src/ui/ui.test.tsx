import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { Choice } from './Choice';
import { codeOf } from './CodeForm';
import { Confirm } from './Dialog';
import { initials } from './initials';
import { show } from './testing';

test.each([
  ['王小明', '小明'],
  ['周1100', '周'],
  ['Ada Lovelace', 'AL'],
  ['bob', 'BO'],
])('%s is shown as %s', (name, expected) => {
  expect(initials(name)).toBe(expected);
});

test('a group is shown by the beginning of its name', () => {
  expect(initials('全员群', 2, 'group')).toBe('全员');
});

test('one of a few is chosen by arrow keys', async () => {
  const change = vi.fn();
  const user = userEvent.setup();
  const options = [
    { id: 'a', label: '全部' },
    { id: 'b', label: '未读' },
  ] as const;
  show(<Choice label="筛选" value="a" options={options} onChange={change} />);
  await user.tab();
  await user.keyboard('{ArrowRight}');
  expect(change).toHaveBeenCalledWith('b');
});

test('a confirmation names what is lost and does nothing when left', async () => {
  const close = vi.fn();
  const confirm = vi.fn();
  const user = userEvent.setup();
  show(
    <Confirm open title="退出？" confirm="退出" onClose={close} onConfirm={confirm}>
      看不到消息了
    </Confirm>,
  );
  expect(screen.getByRole('alertdialog', { name: '退出？' })).toBeTruthy();
  await user.keyboard('{Escape}');
  expect(close).toHaveBeenCalled();
  expect(confirm).not.toHaveBeenCalled();
});

test('a pasted invitation may be a link or a code', () => {
  expect(codeOf(' https://x.example/join/abc123?x=1 ', 'join')).toBe('abc123');
  expect(codeOf('abc 123', 'u')).toBe('abc123');
});
