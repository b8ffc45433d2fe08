/** Which kept answers a signal makes stale. Many signals at once ask once. */
import type { QueryClient } from '@tanstack/react-query';
import type { ConversationStreamEvent, Ephemeral, PersonStreamEvent } from '~/api/events';
import { LADDER, REST_HOURS, WAITING } from '~/api/query';

type TouchedMessage = Extract<Ephemeral, { t: 'touched' }>;
type Keys = readonly (readonly unknown[])[];

/** `touched` by its kind; kinds that no screen keeps an answer of are left out. */
const BY_KIND: Partial<Record<TouchedMessage['kind'], (id: string) => Keys>> = {
  join_requests: (id) => [WAITING, ['org', id, 'manage', 'requests']],
  settings: (id) => [['org', id, 'manage', 'settings']],
  contacts: () => [['me', 'contacts']],
  rest_hours: () => [REST_HOURS],
  ladder: () => [LADDER],
};

/** Events of one's own stream after which other things wait. */
const WAITS: ReadonlySet<PersonStreamEvent['kind']> = new Set(['cursor', 'notice', 'membership', 'friend']);

const SOON_MS = 250;

export class Touched {
  private readonly keys = new Map<string, readonly unknown[]>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly queries: Pick<QueryClient, 'invalidateQueries'>) {}

  signal(message: TouchedMessage): void {
    this.stale(BY_KIND[message.kind]?.(message.id) ?? []);
  }

  person(event: PersonStreamEvent): void {
    if (WAITS.has(event.kind)) this.stale([WAITING]);
  }

  /** Messages that name the person or ask for their 收到, what they answered, and what was taken back. */
  conversation(events: readonly ConversationStreamEvent[], me: string | undefined): void {
    const waits = (event: ConversationStreamEvent) =>
      event.kind === 'acks'
        ? event.user === me
        : event.kind === 'message' &&
          event.sender.id !== me &&
          (event.ack || event.mention_all || event.body === null || event.mentions.some((id) => id === me));
    if (events.some(waits)) this.stale([WAITING]);
  }

  /** Something may have been missed. */
  back(): void {
    this.stale([WAITING]);
  }

  private stale(keys: Keys): void {
    for (const key of keys) this.keys.set(JSON.stringify(key), key);
    if (this.keys.size === 0 || this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      const all = [...this.keys.values()];
      this.keys.clear();
      for (const queryKey of all) void this.queries.invalidateQueries({ queryKey });
    }, SOON_MS);
  }
}
