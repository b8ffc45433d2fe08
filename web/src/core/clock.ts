/** The server's time, as far as it is known: devices' own clocks are often minutes off. */
let offset = 0;

export function learnServerTime(serverNow: number): void {
  offset = serverNow - Date.now();
}

export function now(): number {
  return Date.now() + offset;
}
