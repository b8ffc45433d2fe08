/** Random between 0 and min(30 s, 0.5 s × 2^tries): full jitter, so that a restarted server is not met by all at once. */
export function backoff(tries: number, random: () => number = Math.random): number {
  return random() * Math.min(30_000, 500 * 2 ** tries);
}
