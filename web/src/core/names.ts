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
