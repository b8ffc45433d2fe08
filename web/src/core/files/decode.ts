/** Bytes of a text file as text. Never as markup: whoever draws it puts it into text nodes. */

export const CHARSETS = ['utf-8', 'gb18030', 'big5', 'utf-16le', 'utf-16be', 'shift_jis', 'windows-1252'] as const;
export type Charset = (typeof CHARSETS)[number];

/** Bytes that are looked at. */
const LOOK = 65_536;

const MARKS: readonly [readonly number[], Charset][] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
];

/** How a text is written, by its first bytes; undefined if it is none. */
export function charsetOf(bytes: Uint8Array): Charset | undefined {
  const mark = MARKS.find(([start]) => start.every((byte, i) => bytes[i] === byte));
  if (mark) return mark[1];
  const head = bytes.subarray(0, LOOK);
  const wide = byHalves(head);
  if (wide) return wide;
  if (head.includes(0)) return undefined;
  try {
    // As a stream: the last character may be cut.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return 'utf-8';
  } catch {
    return 'gb18030';
  }
}

/** UTF-16 without a mark, as programs write it who mostly write ASCII: every other byte is nothing. */
function byHalves(head: Uint8Array): Charset | undefined {
  if (head.length < 4) return undefined;
  let even = 0;
  let odd = 0;
  for (let i = 0; i + 1 < head.length; i += 2) {
    if (head[i] === 0) even += 1;
    if (head[i + 1] === 0) odd += 1;
  }
  const half = head.length / 2;
  if (odd > half * 0.6 && even === 0) return 'utf-16le';
  if (even > half * 0.6 && odd === 0) return 'utf-16be';
  return undefined;
}

/** Parts that follow each other, as one text: a character that is cut between two of them stays whole. */
export function decode(parts: readonly Uint8Array[], charset: Charset, whole: boolean): string {
  const decoder = new TextDecoder(charset);
  const text = parts.map((part) => decoder.decode(part, { stream: true }));
  if (whole) text.push(decoder.decode());
  return text.join('');
}

/** Lines together in blocks: a browser lays out those that are in sight. */
export function blocksOf(text: string, lines = 200): string[][] {
  const all = text.split(/\r\n|\r|\n/);
  const blocks: string[][] = [];
  for (let i = 0; i < all.length; i += lines) blocks.push(all.slice(i, i + lines));
  return blocks;
}
