import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { beforeEach, expect, test, vi } from 'vitest';
import { AppError } from '~/api/client';
import { fakeApi } from '~/api/testing';
import { type Chosen, OrgPicker, type OrgSource } from './OrgPicker';
import { levels } from './orgTree';
import { show } from './testing';

beforeEach(() => void fakeApi());

const person = (id: string, name: string, detail?: string) => ({
  kind: 'person' as const,
  id,
  name,
  ...(detail ? { detail } : {}),
});

const source = (below: OrgSource['below']): OrgSource => ({ key: 'k', below, find: async () => ({ items: [] }) });

const small = source(async (unit, cursor) => {
  if (unit === 'u') return { items: [person('p-1111', '张伟', '市场部'), person('p-2222', '张伟', '市场部')] };
  if (cursor) return { items: [person('p-4444', '王芳')] };
  return { items: [{ kind: 'unit', id: 'u', name: '市场部', count: 2 }, person('p-3333', '李娜')], next: 'n' };
});

function Harness({ from = small, ...rest }: { from?: OrgSource; units?: boolean; single?: boolean }) {
  const [picked, setPicked] = useState<Chosen[]>([]);
  return (
    <>
      <OrgPicker source={from} picked={picked} onChange={setPicked} {...rest} />
      <output>{picked.map((p) => p.id).join()}</output>
    </>
  );
}
const chosen = () => screen.getByRole('status', { name: '' }).textContent;

test('a press on a department opens it, people below are told apart, more comes at the foot', async () => {
  const user = userEvent.setup();
  show(<Harness />);
  await user.click(await screen.findByRole('row', { name: /市场部/ }));
  const twins = await screen.findAllByRole('row', { name: /张伟/ });
  expect(new Set(twins.map((r) => r.textContent)).size).toBe(2);
  await user.click(twins[1] as HTMLElement);
  expect(chosen()).toBe('p-2222');
  await user.click(screen.getByRole('row', { name: '加载更多' }));
  await user.click(await screen.findByRole('row', { name: /王芳/ }));
  expect(chosen()).toBe('p-2222,p-4444');
});

test('by keyboard: → opens, ↓ goes on, space chooses', async () => {
  const user = userEvent.setup();
  show(<Harness units />);
  await screen.findByRole('row', { name: /李娜/ });
  await user.tab();
  await user.tab();
  await user.keyboard('{ArrowRight}');
  await screen.findAllByRole('row', { name: /张伟/ });
  expect(screen.getByRole('row', { name: /市场部/ }).getAttribute('aria-expanded')).toBe('true');
  await user.keyboard('{ArrowDown} ');
  expect(chosen()).toBe('p-1111');
});

test('departments themselves are chosen where that makes sense', async () => {
  const user = userEvent.setup();
  show(<Harness units />);
  await user.click(await screen.findByRole('row', { name: /市场部/ }));
  expect(chosen()).toBe('u');
});

test('one only: the last one pressed', async () => {
  const user = userEvent.setup();
  show(<Harness single />);
  await user.click(await screen.findByRole('row', { name: /李娜/ }));
  await user.click(screen.getByRole('row', { name: '加载更多' }));
  await user.click(await screen.findByRole('row', { name: /王芳/ }));
  expect(chosen()).toBe('p-4444');
});

test('a chip takes its person out again', async () => {
  const user = userEvent.setup();
  show(<Harness />);
  await user.click(await screen.findByRole('row', { name: /李娜/ }));
  await user.click(screen.getByRole('button', { name: '李娜' }));
  expect(chosen()).toBe('');
});

test('what failed is tried again', async () => {
  const user = userEvent.setup();
  const below = vi.fn<OrgSource['below']>(() => Promise.reject(new AppError('forbidden', 403)));
  show(<Harness from={source(below)} />);
  await screen.findByRole('alert');
  below.mockImplementation(async () => ({ items: [person('p', '李娜')] }));
  await user.click(screen.getByRole('button', { name: '重试' }));
  await screen.findByRole('row', { name: /李娜/ });
});

test('who joins between two pages stands there once', () => {
  const one = levels({}, { do: 'came', at: '/', page: { items: [person('a', '甲')], next: 'n' }, first: true });
  const two = levels(one, {
    do: 'came',
    at: '/',
    page: { items: [person('a', '甲'), person('b', '乙')] },
    first: false,
  });
  expect(two['/']?.items.map((n) => n.id)).toEqual(['a', 'b']);
});
