import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { AppError } from '~/api/client';
import type { Page } from '~/api/types';
import { PagedList, usePages } from './PagedList';
import { show } from './testing';

function List({ read }: { read: (cursor?: string) => Promise<Page<string>> }) {
  const list = usePages(['test'], read);
  return (
    <PagedList list={list} empty="还没有">
      {(items) => (
        <ul>
          {items.map((i) => (
            <li key={i}>{i}</li>
          ))}
        </ul>
      )}
    </PagedList>
  );
}

const refused = () => Promise.reject(new AppError('forbidden', 403));

test('nothing at all is said in words', async () => {
  show(<List read={async () => ({ items: [] })} />);
  await screen.findByText('还没有');
});

test('pages follow one another until there are no more', async () => {
  const user = userEvent.setup();
  show(<List read={async (c) => (c ? { items: ['乙'] } : { items: ['甲'], next: 'n' })} />);
  await screen.findByText('甲');
  await user.click(screen.getByRole('button', { name: '加载更多' }));
  await screen.findByText('乙');
  expect(screen.getByText('甲')).toBeTruthy();
  expect(screen.queryByRole('button')).toBeNull();
});

test('a page that did not come leaves those that did, and is tried again alone', async () => {
  const user = userEvent.setup();
  const read = vi.fn(async (c?: string): Promise<Page<string>> => (c ? refused() : { items: ['甲'], next: 'n' }));
  show(<List read={read} />);
  await screen.findByText('甲');
  await user.click(screen.getByRole('button', { name: '加载更多' }));
  await screen.findByRole('alert');
  expect(screen.getByText('甲')).toBeTruthy();
  read.mockImplementation(async () => ({ items: ['乙'] }));
  await user.click(screen.getByRole('button', { name: '重试' }));
  await screen.findByText('乙');
  expect(read.mock.calls.map(([c]) => c)).toEqual([undefined, 'n', 'n']);
});

test('a first page that did not come can be asked for again', async () => {
  const user = userEvent.setup();
  const read = vi.fn<(c?: string) => Promise<Page<string>>>(refused);
  show(<List read={read} />);
  await screen.findByRole('alert');
  read.mockImplementation(async () => ({ items: ['甲'] }));
  await user.click(screen.getByRole('button', { name: '重试' }));
  await screen.findByText('甲');
});
