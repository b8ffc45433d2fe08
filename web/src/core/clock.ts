/** The server's time, as far as it is known: devices' own clocks are often minutes off. */
import { noteClock } from './store/device';

let offset = 0;

export function learnServerTime(serverNow: number): void {
  offset = serverNow - Date.now();
  noteClock(offset);
}

export function now(): number {
  return Date.now() + offset;
}
