/** Names that more than one person of a list carries: their rows must say more, so that no two read alike. */
export function sharedNames(list: readonly { name: string }[]): Set<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const { name } of list) {
    if (seen.has(name)) shared.add(name);
    seen.add(name);
  }
  return shared;
}

/** The end of an id: short, and different even for two people who joined on the same day. */
export const shortId = (id: string): string => id.slice(-4);

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** A name within a sentence: written from the right it must not turn the words around it. */
export const isolated = (name: string): string => (RIGHT_TO_LEFT.test(name) ? `\u2068${name}\u2069` : name);
