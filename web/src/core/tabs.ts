/**
 * The tabs of one person in one browser. One of them leads: it owns the socket and empties the outbox.
 * Where Web Locks is absent (plain http on a LAN) each tab leads itself: that costs a socket per tab and
 * nothing else, since sending twice under one client id is one message.
 */
export interface Tabs<M> {
  /** Whether tabs share one socket; if not, every tab leads. */
  readonly shared: boolean;
  /** Calls once this tab leads; maybe at once, maybe never. */
  lead(won: () => void): void;
  post(message: M): void;
  listen(listener: (message: M) => void): void;
  close(): void;
}

export function openTabs<M>(name: string): Tabs<M> {
  const channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(name);
  const locks = globalThis.navigator?.locks;
  const shared = Boolean(channel && locks);
  let release = () => {};
  let closed = false;
  return {
    shared,
    lead(won) {
      if (!shared || !locks) return won();
      void locks.request(name, () => {
        if (closed) return;
        won();
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      });
    },
    post(message) {
      if (!closed) channel?.postMessage(message);
    },
    listen(listener) {
      if (channel) channel.onmessage = (event) => listener(event.data as M);
    },
    close() {
      closed = true;
      release();
      channel?.close();
    },
  };
}
