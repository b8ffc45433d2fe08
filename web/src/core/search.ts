/**
 * Finding names as people type them: by their characters, by pinyin (`zhangwei`, `zhang w`) and by its initials (`zw`).
 * The dictionary is a large chunk: it comes with the first search, until then characters alone are compared.
 */

/** Gives the indices of the characters that a Latin query stands for, or null. */
export type Pinyin = (text: string, query: string) => number[] | null;

let pinyin: Pinyin | undefined;
let loading: Promise<void> | undefined;

export function loadPinyin(): Promise<void> {
  loading ??= import('pinyin-pro').then(
    ({ match }) => {
      pinyin = (text, query) => match(text, query, { precision: 'start', continuous: true, v: true });
    },
    () => {
      // No network: the next search tries again.
      loading = undefined;
    },
  );
  return loading;
}

const HAN = /\p{Script=Han}/u;
const LATIN = /^[a-z\u00fc' ]+$/;

/** As people compare: without case, without accents, wide letters as narrow ones. */
export function folded(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .trim();
}

/** The higher the better; 0 means that it is not meant. An exact name is 100. */
export function score(text: string, query: string, by: Pinyin | undefined = pinyin): number {
  const name = folded(text);
  const q = folded(query);
  if (q === '') return 1;
  if (name === q) return 100;
  const at = name.indexOf(q);
  if (at === 0) return 90;
  if (at > 0) return isWordStart(name, at) ? 80 : 60;
  const words = q.split(/\s+/);
  if (words.length > 1 && words.every((word) => name.includes(word))) return 50;
  if (!by || !LATIN.test(q) || !HAN.test(text)) return 0;
  const hit = by(text, q.replace(/[' ]/g, ''));
  if (!hit) return 0;
  return hit[0] === 0 ? (hit.length === Array.from(text).length ? 75 : 70) : 40;
}

function isWordStart(name: string, at: number): boolean {
  return !/[\p{L}\p{N}]/u.test(name[at - 1] ?? '') || HAN.test(name[at] ?? '');
}

/** The best first; equal ones stay in the order they came in. */
export function ranked<I>(items: readonly I[], query: string, nameOf: (item: I) => string, most: number): I[] {
  return items
    .map((item, order) => ({ item, order, score: score(nameOf(item), query) }))
    .filter((hit) => hit.score > 0)
    .sort((a, b) => b.score - a.score || a.order - b.order)
    .slice(0, most)
    .map((hit) => hit.item);
}
