import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { FindBar } from './FindBar';
import { ReadingBar } from './ReadingBar';
import type { FindHandle } from './useFind';

const nothing = () => undefined;

test('leaving the field of the page as it was goes nowhere; another number goes there, within the file', async () => {
  const user = userEvent.setup();
  const onPage = vi.fn();
  render(
    <ReadingBar
      page={4}
      count={9}
      scale={1}
      fit="auto"
      onPage={onPage}
      onZoom={nothing}
      onFit={nothing}
      onFind={nothing}
    />,
  );
  const field = screen.getByRole<HTMLInputElement>('textbox');
  await user.click(field);
  await user.tab();
  await user.clear(field);
  await user.tab();
  expect(onPage).not.toHaveBeenCalled();
  expect(field.value).toBe('5');
  await user.clear(field);
  await user.type(field, '70{Enter}');
  expect(onPage).toHaveBeenLastCalledWith(8);
});

const find = (more: Partial<FindHandle>): FindHandle => ({
  shown: true,
  asked: 1,
  words: '桥',
  found: undefined,
  reading: undefined,
  none: false,
  open: nothing,
  close: nothing,
  setWords: nothing,
  go: nothing,
  ...more,
});

test('the search takes the focus each time it is asked for, and only its outcome is read out', () => {
  const { rerender } = render(<FindBar find={find({})} onClose={nothing} />);
  const field = screen.getByRole('textbox');
  expect(document.activeElement).toBe(field);
  field.blur();
  rerender(<FindBar find={find({ reading: { page: 2, of: 9 } })} onClose={nothing} />);
  expect(document.activeElement).not.toBe(field);
  expect(screen.getByRole('status').textContent).toBe('');
  rerender(<FindBar find={find({ asked: 2, none: true })} onClose={nothing} />);
  expect(document.activeElement).toBe(field);
  expect(screen.getByRole('status').textContent).not.toBe('');
});
