/** Whether somebody is at this page: it is seen, and was touched within the last minute. */
const RECENT_MS = 60_000;
let last = -RECENT_MS;

const now = () => {
  last = performance.now();
};
for (const kind of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'focus'] as const) {
  globalThis.addEventListener?.(kind, now, { passive: true, capture: true });
}

export const inUse = (): boolean => !document.hidden && performance.now() - last < RECENT_MS;
