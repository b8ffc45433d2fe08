import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { AppError } from '~/api/client';
import type { Conversation, ImageBlock } from '~/api/types';
import type { Attached, Chip } from '~/core/files/tray';
import { fileTexts, startTexts } from '../i18n';
import type { Kept } from '../kept';
import { Composer } from '../parts/Composer';
import { say, talk } from '../talk';
import { NOTHING, tray } from '../tray';
import { kindOf } from './kind';
import { sideFor } from './MessageFiles';
import { dropPictures, isGone, picture } from './pictures';
import { Tray } from './Tray';
import { inTime, isFinal } from './words';

vi.mock('../talk', async (original) => ({ ...(await original<object>()), say: vi.fn(async () => true) }));

const block = (file: string): Attached => ({
  type: 'file',
  file,
  name: `${file}.pdf`,
  size: 1,
  mime: 'application/pdf',
});
const chip = (state: Chip['state'], more: Partial<Chip> = {}): Chip => ({
  key: 1,
  name: '报告.pdf',
  size: 100,
  sent: 50,
  state,
  ...more,
});

beforeEach(async () => {
  await startTexts();
  await fileTexts();
  tray.setState(NOTHING, true);
  vi.mocked(say).mockClear().mockResolvedValue(true);
});

test('a kind is what people call it, and nothing where neither name nor bytes say it', () => {
  expect(kindOf({ name: '表.xlsx' })).toBe('XLSX');
  expect(kindOf({ name: '照片', mime: 'image/png' })).toBe('PNG');
  expect(kindOf({ name: '说明', mime: 'application/octet-stream' })).toBe('');
  expect(kindOf({ name: 'חשבונית.pdf' })).toBe('PDF');
});

test('a time that is promised is rounded up', () => {
  expect(inTime('en', 1)).toBe('in 1 minute');
  expect(inTime('en', 7_200_001)).toBe('in 3 hours');
});

test('a small picture is taken where it is sharp enough, and never a larger one than there is', () => {
  const of = (width: number, height: number) => ({ width, height }) as ImageBlock;
  vi.stubGlobal('devicePixelRatio', 2);
  expect(sideFor(of(4000, 3000), 280, false)).toBe(1600);
  expect(sideFor(of(4000, 3000), 104, true)).toBe(320);
  expect(sideFor(of(200, 100), 200, false)).toBe(320);
});

describe('pictures', () => {
  const url = vi.fn(() => 'blob:1');
  const revoked = vi.fn();
  const answers = (...all: Response[]) => {
    const get = vi.fn(async () => all.shift() ?? Response.error());
    vi.stubGlobal('fetch', get);
    return get;
  };

  beforeEach(() => {
    vi.spyOn(URL, 'createObjectURL').mockImplementation(url);
    vi.spyOn(URL, 'revokeObjectURL').mockImplementation(revoked);
  });
  afterEach(() => dropPictures());

  it('are read once, kept by no browser, and let go of together', async () => {
    const get = answers(new Response('a'));
    await Promise.all([picture('f', 320), picture('f', 320)]);
    expect(get).toHaveBeenCalledTimes(1);
    expect(get.mock.calls[0]?.[1 as never]).toMatchObject({ cache: 'no-store', credentials: 'omit' });
    dropPictures();
    await waitFor(() => expect(revoked).toHaveBeenCalledWith('blob:1'));
  });

  it('that are gone are told from those that did not come, which are asked for again', async () => {
    answers(new Response('', { status: 404 }), new Response('', { status: 502 }), new Response('a'));
    expect(isGone(await picture('f', 320).catch((e) => e))).toBe(true);
    expect(isGone(await picture('f', 320).catch((e) => e))).toBe(false);
    expect(await picture('f', 320)).toBe('blob:1');
  });
});

describe('the composer', () => {
  const kept = { user: 'me', conversation: 'c', look: {} } as unknown as Kept;
  const show = () =>
    render(
      <Composer code="code" kept={kept} quoted={undefined} onQuote={() => undefined} onTyping={() => undefined} />,
    );
  const field = () => screen.getByRole('textbox');
  const allow = (attach: boolean) =>
    talk.setState({ conversation: { id: 'c', can: { post: true, attach } } as unknown as Conversation });

  it('sends words and files together, and files alone', async () => {
    allow(true);
    show();
    await userEvent.type(field(), '你好');
    tray.setState({ ready: [block('a')] });
    await userEvent.click(screen.getByRole('button', { name: '发送' }));
    expect(say).toHaveBeenCalledWith('你好', [block('a')], undefined);
    await waitFor(() => expect(tray.getState().ready).toEqual([]));
    tray.setState({ ready: [block('b')] });
    await userEvent.click(screen.getByRole('button', { name: '发送' }));
    expect(say).toHaveBeenLastCalledWith('', [block('b')], undefined);
  });

  it('says nothing twice to an impatient hand', async () => {
    allow(true);
    let kept: (done: boolean) => void = () => undefined;
    vi.mocked(say).mockReturnValue(new Promise((done) => (kept = done)));
    show();
    await userEvent.type(field(), '你好');
    await userEvent.dblClick(screen.getByRole('button', { name: '发送' }));
    // What comes meanwhile belongs to the next message.
    tray.setState({ ready: [block('late')] });
    kept(true);
    await waitFor(() => expect(field()).toHaveProperty('value', ''));
    expect(say).toHaveBeenCalledTimes(1);
    expect(tray.getState().ready).toEqual([block('late')]);
  });

  it('waits for what is on its way, lets go of that, and sends when it is there', async () => {
    allow(true);
    show();
    await userEvent.type(field(), '你好');
    tray.setState({ chips: [chip('sending')] });
    await userEvent.click(screen.getByRole('button', { name: '发送' }));
    expect(say).not.toHaveBeenCalled();
    await userEvent.click(screen.getByRole('button', { name: '先不发送' }));
    expect(tray.getState().armed).toBe(false);
    await userEvent.click(screen.getByRole('button', { name: '发送' }));
    tray.setState({ ready: [block('a')] });
    tray.setState({ chips: [] });
    await waitFor(() => expect(say).toHaveBeenCalledWith('你好', [block('a')], undefined));
    await waitFor(() => expect(field()).toHaveProperty('value', ''));
  });

  it('keeps words and files where they could not be kept for sending', async () => {
    allow(true);
    vi.mocked(say).mockResolvedValue(false);
    show();
    await userEvent.type(field(), '你好');
    tray.setState({ ready: [block('a')] });
    await userEvent.click(screen.getByRole('button', { name: '发送' }));
    expect(field()).toHaveProperty('value', '你好');
    expect(tray.getState().ready).toHaveLength(1);
  });

  it('goes nowhere past a file that failed', async () => {
    allow(true);
    show();
    tray.setState({ chips: [chip('failed')] });
    await userEvent.click(screen.getByRole('button', { name: '发送' }));
    expect(tray.getState()).toMatchObject({ armed: false, stuck: true });
  });

  it('has no key for files where the organisation wants none', () => {
    allow(false);
    show();
    expect(screen.queryByRole('button', { name: '图片或文件' })).toBeNull();
  });
});

test('a file that was refused says what is full, of whom, and offers another try where one helps', () => {
  const error = (code: string, context: object) =>
    new AppError(code, 409, { code: code as 'internal', context } as never);
  const { rerender } = render(<Tray />);
  const shows = (e: AppError) => {
    tray.setState({ chips: [chip('failed', { error: e })] });
    rerender(<Tray />);
  };
  const large = error('file_too_large', { limit: 1_048_576 });
  shows(large);
  screen.getByText('这个文件太大，最大 1 MB');
  expect(isFinal(large)).toBe(true);
  expect(screen.queryByRole('button', { name: /重试/ })).toBeNull();
  shows(error('quota_full', { of: 'guest', limit: 1_048_576 }));
  screen.getByText(/你在这里存的文件已满 1 MB/);
  screen.getByRole('button', { name: '重试上传 报告.pdf' });
  shows(error('guest_day_full', { of: 'guests', retry_after_ms: 60_000 }));
  screen.getByText('今天这里收的文件满了，1分钟后可以再发');
});
