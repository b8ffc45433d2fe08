import { fireEvent, render, screen } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import type { ImageBlock } from '~/api/types';
import { Picture } from './Picture';
import { Viewer } from './Viewer';

// The back key belongs to the router, which is not here.
vi.mock('../useBack', () => ({ useBack: (close: () => void) => close }));

const picture = { type: 'image', file: 'f', name: 'a.png', width: 40, height: 30 } as ImageBlock;

/** A server that answers so for the picture of each side. */
function answers(small: number, large: number) {
  const get = async (url: string) => new Response(null, { status: url.endsWith('/320') ? small : large });
  vi.stubGlobal('fetch', vi.fn(get));
}

afterEach(() => vi.unstubAllGlobals());

const broken = () => fireEvent.error(document.querySelector('img:last-of-type') as HTMLImageElement);

it.each([
  [410, 410, /丢失.*管理员/],
  [200, 410, /丢失.*管理员/],
  [404, 404, /看不到/],
])('a picture answered by %i and %i says why it is not there', async (small, large, words) => {
  answers(small, large);
  render(<Picture picture={picture} wide={100} square={false} onOpen={() => {}} />);
  broken();
  expect(await screen.findByText(words)).toBeTruthy();
});

it('a picture that did not come this time can be asked for again', async () => {
  answers(503, 503);
  render(<Picture picture={picture} wide={100} square={false} onOpen={() => {}} />);
  broken();
  fireEvent.click(await screen.findByRole('button', { name: /重试/ }));
  expect(document.querySelector('img')?.getAttribute('src')).toContain('again=1');
});

it('a picture that is lost on the server says so when it is opened large', async () => {
  answers(410, 410);
  render(<Viewer pictures={[picture]} first="f" onClose={() => {}} />);
  fireEvent.error(document.querySelectorAll('img')[1] as HTMLImageElement);
  expect((await screen.findByRole('status')).textContent).toMatch(/丢失.*管理员/);
});
