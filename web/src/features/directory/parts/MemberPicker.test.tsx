import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { expect, test } from 'vitest';
import { fakeApi } from '~/api/testing';
import type { Member } from '~/api/types';
import { show } from '~/ui/testing';
import { MemberPicker, type Picked } from './MemberPicker';

const member = (user: string, name: string): Member => ({
  user,
  name,
  role: 'member',
  state: 'active',
  verified: true,
  joined_at: 1_700_000_000_000,
  rev: 1,
});

function Harness() {
  const [picked, setPicked] = useState<Picked[]>([]);
  return <MemberPicker org="o" picked={picked} onChange={setPicked} without={new Set(['in'])} />;
}

test('no two rows read alike, those already in are left out, ticks become chips', async () => {
  const api = fakeApi();
  const all = [member('a-1234', '张伟'), member('b-5678', '张伟'), member('c', '李娜'), member('in', '王芳')];
  api.on('get', '/orgs/{id}/members', ({ query }) => ({
    items: all.filter((m) => m.name.includes(query.get('q') ?? '')),
  }));
  const user = userEvent.setup();
  show(<Harness />);
  await screen.findByRole('row', { name: /李娜/ });
  const rows = screen.getAllByRole('row').map((row) => row.textContent ?? '');
  expect(rows).toHaveLength(3);
  expect(new Set(rows).size).toBe(3);
  await user.click(screen.getByRole('row', { name: /李娜/ }));
  expect(screen.getByRole('button', { name: '李娜' })).toBeTruthy();
  await user.type(screen.getByRole('searchbox', { name: '搜索姓名或部门' }), '张');
  await waitFor(() => expect(screen.getAllByRole('row')).toHaveLength(2));
  expect(screen.getByRole('button', { name: '李娜' })).toBeTruthy();
});

test('what failed can be tried again', async () => {
  const api = fakeApi();
  api.refuse('get', '/orgs/{id}/members', 'forbidden', 403);
  const user = userEvent.setup();
  show(<Harness />);
  await screen.findByText('你没有做这件事的权限');
  api.on('get', '/orgs/{id}/members', () => ({ items: [member('c', '李娜')] }));
  await user.click(screen.getByRole('button', { name: '重试' }));
  await screen.findByRole('row', { name: /李娜/ });
});
