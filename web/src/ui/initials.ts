/** What stands for a name: the given name of a Chinese person, the beginning of a group's, the first letters of others. */
export function initials(name: string, most = 2, of: 'person' | 'group' = 'person'): string {
  const clean = name.trim();
  const chars = Array.from(clean);
  const han = chars.filter((c) => /\p{Script=Han}/u.test(c));
  if (han.length > 0) return (of === 'person' ? han.slice(-most) : han.slice(0, most)).join('');
  const words = clean.split(/\s+/);
  const letters = words.length > 1 ? words.map((w) => Array.from(w)[0] ?? '') : chars;
  return letters.slice(0, most).join('').toUpperCase();
}
