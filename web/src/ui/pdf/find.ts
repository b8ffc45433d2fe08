/** Looks for words in the text of pages, page after page from where one is. */

/** A piece of text of a page, as pdf.js gives it. */
export interface Item {
  str?: string;
  hasEOL?: boolean;
}

/** A place in a page: a piece, and a character of it. */
export interface Spot {
  item: number;
  at: number;
}

export interface Match {
  from: Spot;
  /** After the last character. */
  to: Spot;
}

interface Flat {
  text: string;
  /** Where each character of `text` comes from. */
  items: number[];
  ats: number[];
}

const WIDE = /[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uff60]/;
const BLANK = /\s/;

/** As one searches: small letters, full-width letters as narrow ones, one blank for many. Never longer than it was. */
function plain(char: string): string {
  const narrow = /[\uff01-\uff5e]/.test(char) ? String.fromCharCode(char.charCodeAt(0) - 0xfee0) : char;
  const small = narrow.toLowerCase();
  return small.length === 1 ? small : narrow;
}

/** All pieces as one text. A line that ends is a blank, but none between Chinese characters: they are written without. */
export function flatten(items: readonly Item[]): Flat {
  const flat: Flat = { text: '', items: [], ats: [] };
  const chars: string[] = [];
  const put = (char: string, item: number, at: number) => {
    if (BLANK.test(char)) {
      if (chars.length === 0 || chars[chars.length - 1] === ' ') return;
      char = ' ';
    } else if (chars[chars.length - 1] === ' ' && WIDE.test(char) && WIDE.test(chars[chars.length - 2] ?? '')) {
      chars.pop();
      flat.items.pop();
      flat.ats.pop();
    }
    chars.push(plain(char));
    flat.items.push(item);
    flat.ats.push(at);
  };
  let number = 0;
  for (const { str, hasEOL } of items) {
    // Marks of the structure are no text and have no place in the layer.
    if (str === undefined) continue;
    for (let at = 0; at < str.length; at += 1) put(str[at] ?? '', number, at);
    if (hasEOL) put(' ', number, str.length);
    number += 1;
  }
  flat.text = chars.join('');
  return flat;
}

const MOST = 500;

export function matchesIn(items: readonly Item[], words: string): Match[] {
  const wanted = flatten([{ str: words }]).text.trim();
  if (wanted === '') return [];
  const { text, items: from, ats } = flatten(items);
  const found: Match[] = [];
  for (let at = text.indexOf(wanted); at >= 0 && found.length < MOST; at = text.indexOf(wanted, at + wanted.length)) {
    const last = at + wanted.length - 1;
    found.push({
      from: { item: from[at] ?? 0, at: ats[at] ?? 0 },
      to: { item: from[last] ?? 0, at: (ats[last] ?? 0) + 1 },
    });
  }
  return found;
}

export interface Found {
  page: number;
  /** Among the matches of the page. */
  index: number;
  matches: readonly Match[];
}

/**
 * The next match after `now`, or the one before it, round the end; undefined if there is none at all. `at` hears which page
 * is being read; `stopped` ends it.
 */
export async function seek(
  pages: number,
  read: (page: number) => Promise<readonly Match[]>,
  start: { page: number; index: number },
  step: 1 | -1,
  { at, stopped }: { at: (page: number) => void; stopped: () => boolean },
): Promise<Found | undefined> {
  for (let i = 0; i <= pages; i += 1) {
    const page = (((start.page + i * step) % pages) + pages) % pages;
    at(page);
    const matches = await read(page);
    if (stopped()) return undefined;
    const here = i === 0 ? start.index + step : step > 0 ? 0 : matches.length - 1;
    if (here >= 0 && here < matches.length) return { page, index: here, matches };
  }
  return undefined;
}
