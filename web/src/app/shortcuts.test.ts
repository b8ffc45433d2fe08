import { expect, test } from 'vitest';
import { asked, written } from './shortcuts';

const press = (key: string, more: Partial<KeyboardEvent> = {}) =>
  asked({
    key,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    shiftKey: false,
    isComposing: false,
    keyCode: 0,
    ...more,
  });

test('Ctrl and ⌘ with a digit go to a place, and there are eight', () => {
  expect(press('1', { ctrlKey: true })).toEqual({ place: 0 });
  expect(press('8', { metaKey: true })).toEqual({ place: 7 });
  expect(press('9', { ctrlKey: true })).toBeUndefined();
});

test('search and help, also where the slash needs Shift', () => {
  expect(press('k', { ctrlKey: true })).toBe('search');
  expect(press('K', { metaKey: true })).toBe('search');
  expect(press('/', { ctrlKey: true })).toBe('help');
  expect(press('/', { ctrlKey: true, shiftKey: true })).toBe('help');
});

test('Alt and an arrow go through the conversations', () => {
  expect(press('ArrowDown', { altKey: true })).toEqual({ step: 1, unread: false });
  expect(press('ArrowUp', { altKey: true, shiftKey: true })).toEqual({ step: -1, unread: true });
});

test('bare letters and what belongs to an input method are nobody\u2019s shortcut', () => {
  for (const key of ['k', '/', '1', 'ArrowDown', 'Enter']) expect(press(key)).toBeUndefined();
  expect(press('k', { ctrlKey: true, isComposing: true })).toBeUndefined();
  expect(press('k', { ctrlKey: true, keyCode: 229 })).toBeUndefined();
  expect(press('k', { ctrlKey: true, altKey: true })).toBeUndefined();
});

test('keys are written for the keyboard at hand', () => {
  expect(written('Mod+K')).toMatch(/^(Ctrl\+|⌘)K$/);
});
