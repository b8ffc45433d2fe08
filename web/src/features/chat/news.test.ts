import { expect, test } from 'vitest';
import { isNews } from './news';
import { conversation, ME, message } from './testing';

const PREFS = { muted: false, pinned: false, hidden: false, marked_unread: false };
const held = (seq: number, more: object = {}) => conversation({ last: message(seq), unread: 1, ...more }) as never;

test('a message of somebody else that is newer than what was there', () => {
  expect(isNews(held(2), held(1), ME)).toBe(true);
  expect(isNews(held(1), held(1), ME)).toBe(false);
});

test('what was there when the list was first read is no news', () => {
  expect(isNews(held(2), undefined, ME)).toBe(false);
});

test('one\u2019s own words, what is read already and lines of the system are no news', () => {
  expect(isNews(held(2, { last: message(2, { sender: { kind: 'person', id: ME } }) }), held(1), ME)).toBe(false);
  expect(isNews(held(2, { unread: 0 }), held(1), ME)).toBe(false);
  expect(isNews(held(2, { last: message(2, { body: null }) }), held(1), ME)).toBe(false);
});

test('a muted conversation calls only by name', () => {
  const muted = { preferences: { ...PREFS, muted: true } };
  expect(isNews(held(2, muted), held(1, muted), ME)).toBe(false);
  expect(isNews(held(2, { ...muted, mentioned: true }), held(1, muted), ME)).toBe(true);
});
