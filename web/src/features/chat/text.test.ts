import { describe, expect, test } from 'vitest';
import { ALL, compose, draftLine, mentionQuery, plainText, toDraft } from './text';

const nameOf = (id: string) => ({ u1: '张伟', u2: '张伟明' })[id] ?? '';

describe('composing', () => {
  test('turns picked names into mention blocks, the longest first', () => {
    const picks = [
      { user: 'u1', name: '张伟' },
      { user: 'u2', name: '张伟明' },
    ];
    const { body, mentions } = compose({ text: '@张伟明 和＠张伟 看下', picks });
    expect(body).toEqual({
      kind: 'blocks',
      blocks: [
        { type: 'mention', user: 'u2' },
        { type: 'text', text: ' 和' },
        { type: 'mention', user: 'u1' },
        { type: 'text', text: ' 看下' },
      ],
    });
    expect(mentions).toEqual(['u2', 'u1']);
  });

  test('a name that was not picked, or was edited, is text', () => {
    const { body, mentions } = compose({ text: '@张 @李四', picks: [{ user: 'u1', name: '张伟' }] });
    expect(body).toEqual({ kind: 'blocks', blocks: [{ type: 'text', text: '@张 @李四' }] });
    expect(mentions).toEqual([]);
  });

  test('everyone is a flag and a block, read in the language of the reader', () => {
    const composed = compose({ text: '@everyone 开会', picks: [{ user: ALL, name: 'everyone' }] });
    expect(composed).toMatchObject({ mention_all: true, mentions: [] });
    expect(plainText(composed.body, nameOf)).toBe('@所有人 开会');
  });

  test('goes back to a draft that composes to the same', () => {
    const composed = compose({ text: '@张伟 好', picks: [{ user: 'u1', name: '张伟' }] });
    const draft = toDraft(composed.body, nameOf);
    expect(draft.text).toBe('@张伟 好');
    expect(compose(draft)).toEqual(composed);
  });
});

describe('a mention being typed', () => {
  test.each([
    ['@', 1, { start: 0, query: '' }],
    ['你好@张', 4, { start: 2, query: '张' }],
    ['你好＠张', 4, { start: 2, query: '张' }],
    ['@张 好', 4, undefined],
    ['mail a@b', 8, undefined],
    ['@@x', 3, { start: 1, query: 'x' }],
    ['@张三', 1, { start: 0, query: '' }],
  ])('%s at %i', (text, caret, expected) => {
    expect(mentionQuery(text, caret)).toEqual(expected);
  });
});

test('a draft is one line: its words, and what is attached or on its way', () => {
  const image = { type: 'image' as const, file: 'f1' };
  expect(draftLine({ text: ' 看一下 ', files: [image] })).toBe('看一下 [图片]');
  expect(draftLine({ text: '', files: [{ type: 'file', file: 'f2', name: 'a.pdf' }] })).toBe('[文件] a.pdf');
  expect(draftLine(undefined, [{ name: 'b.png', preview: 'blob:1' }, { name: 'c.zip' }])).toBe('[图片] [文件] c.zip');
  expect(draftLine(undefined)).toBe('');
});
