/** Sizes as people read them. */
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

export function bytesText(locale: string, bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value)} ${UNITS[unit]}`;
}

/** Names of so many letters are not taken apart. */
const SHORT = 16;

/** A name in two parts, the second of which is never cut: who looks for a file looks for its ending. */
export function nameParts(name: string): [string, string] {
  const letters = Array.from(name);
  if (letters.length <= SHORT) return [name, ''];
  const dot = letters.lastIndexOf('.');
  const ending = dot > 0 && letters.length - dot <= 8 ? letters.length - dot : 0;
  const keep = Math.min(letters.length, ending + 4);
  return [letters.slice(0, letters.length - keep).join(''), letters.slice(letters.length - keep).join('')];
}
