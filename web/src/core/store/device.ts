/** What is amiss with the device itself, for the banners to say. */
import { createStore } from 'zustand/vanilla';

export interface DeviceState {
  /** How far the device's clock is ahead of the server's, in minutes, where it matters; else 0. */
  clockMinutes: number;
  /** The browser refused to keep something. */
  storage: 'fine' | 'refused';
  /** The server has another build of this client than the one that runs. */
  update: boolean;
}

export const device = createStore<DeviceState>(() => ({ clockMinutes: 0, storage: 'fine', update: false }));

/** From here on times read wrong enough to confuse. */
const CLOCK_MS = 3 * 60_000;

/** `offset`: the server's time less the device's. */
export function noteClock(offset: number): void {
  const clockMinutes = Math.abs(offset) < CLOCK_MS ? 0 : -Math.round(offset / 60_000);
  if (device.getState().clockMinutes !== clockMinutes) device.setState({ clockMinutes });
}
