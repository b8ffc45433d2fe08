import { beforeEach, expect, test } from 'vitest';
import { message } from '../testing';
import { transcript } from '../text';
import { addSelected, chatUi, closeAll, flipSelected, MAX_SELECTED, startSelecting } from '../ui';
import { EMOJI, GROUPS } from './emoji';
import { between } from './Selecting';

const seqs = () => chatUi.getState().selecting?.seqs;

beforeEach(closeAll);

test('messages are chosen and let go, never more than one forwarding carries', () => {
  flipSelected(1);
  expect(seqs()).toBeUndefined();
  startSelecting('c', 1);
  flipSelected(2);
  flipSelected(1);
  expect(seqs()).toEqual([2]);
  addSelected(Array.from({ length: 200 }, (_, i) => i + 1));
  expect(seqs()).toHaveLength(MAX_SELECTED);
  expect(new Set(seqs()).size).toBe(MAX_SELECTED);
});

test('a run leaves out what cannot be chosen', () => {
  const left = message(3, { body: { kind: 'system', event: 'left', users: ['bo'] } });
  const segment = { from: 1, to: 5, messages: [message(1), message(2), left, message(4, { body: null }), message(5)] };
  expect(between([segment], 5, 1)).toEqual([2]);
});

test('several messages are copied as who, when and what', () => {
  const text = transcript([message(1), message(2, { body: null }), message(3)], (id) => id, String);
  expect(text).toBe('ann 1000\ntext 1\n\nann 3000\ntext 3');
});

test('no emoji stands twice in its group', () => {
  for (const group of GROUPS) expect(new Set(EMOJI[group]).size, group).toBe(EMOJI[group].length);
});
