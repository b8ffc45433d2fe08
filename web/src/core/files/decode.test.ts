import { expect, it } from 'vitest';
import { readerOf } from '~/core/files/kinds';
import { blocksOf, charsetOf, decode } from './decode';

const utf8 = (text: string) => new TextEncoder().encode(text);
/** 你好，世界 in GBK. */
const GBK = new Uint8Array([0xc4, 0xe3, 0xba, 0xc3, 0xa3, 0xac, 0xca, 0xc0, 0xbd, 0xe7]);
const utf16 = (text: string, big: boolean, mark: boolean) => {
  const units = Array.from(mark ? `\ufeff${text}` : text, (c) => c.charCodeAt(0));
  return new Uint8Array(units.flatMap((u) => (big ? [u >> 8, u & 255] : [u & 255, u >> 8])));
};

it('knows how a text is written', () => {
  expect(charsetOf(utf8('你好'))).toBe('utf-8');
  // Cut within a character.
  expect(charsetOf(utf8('你好').subarray(0, 5))).toBe('utf-8');
  expect(charsetOf(utf8('\ufeffa'))).toBe('utf-8');
  expect(charsetOf(GBK)).toBe('gb18030');
  expect(charsetOf(utf16('你好', false, true))).toBe('utf-16le');
  expect(charsetOf(utf16('你好', true, true))).toBe('utf-16be');
  expect(charsetOf(utf16('name,age\n', false, false))).toBe('utf-16le');
  expect(charsetOf(utf16('name,age\n', true, false))).toBe('utf-16be');
  expect(charsetOf(new Uint8Array())).toBe('utf-8');
  expect(charsetOf(new Uint8Array([1, 0, 0, 0, 7, 9, 200, 0, 3]))).toBeUndefined();
});

it('joins parts whose border cuts a character, and drops the mark', () => {
  const bytes = utf8('\ufeff你好');
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(decode([bytes.subarray(0, cut), bytes.subarray(cut)], 'utf-8', true)).toBe('你好');
  }
  expect(decode([GBK.subarray(0, 3), GBK.subarray(3)], 'gb18030', true)).toBe('你好，世界');
  // What is not there yet is not shown as a fault.
  expect(decode([bytes.subarray(0, 5)], 'utf-8', false)).toBe('');
});

it('puts lines of every kind of end into blocks', () => {
  expect(blocksOf('a\r\nb\rc\nd', 3)).toEqual([['a', 'b', 'c'], ['d']]);
  expect(blocksOf('')).toEqual([['']]);
});

it('offers to read what can be read', () => {
  for (const [name, mime, reader] of [
    ['a.pdf', 'application/pdf', 'pdf'],
    ['a.pdf', 'application/octet-stream', undefined],
    ['合同', 'application/pdf', 'pdf'],
    ['旧.txt', 'application/octet-stream', 'text'],
    ['a.bin', 'text/plain', 'text'],
    ['a.html', 'text/html', 'text'],
    ['Makefile', 'application/octet-stream', 'text'],
    ['a.docx', 'application/zip', undefined],
    ['a.txt', 'application/zip', undefined],
    ['a.png', 'image/png', undefined],
  ] as const)
    expect([name, readerOf({ name, mime })]).toEqual([name, reader]);
});
