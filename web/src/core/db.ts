/**
 * What is kept on the device. Two databases: the cache, named by server, epoch and person, may be dropped at any time;
 * the outbox holds what nobody else has yet and outlives schema changes and epochs.
 */
import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from 'idb';
import type { Conversation, Message, User } from '~/api/types';
import type { OutboxRow, OutboxStore } from './outbox';
import { device } from './store/device';
import { storage } from './store/storage';

/** Raise it when the form of a store changes: the cache is dropped and read again. */
const CACHE_SCHEMA = 2;
const OUTBOX_SCHEMA = 1;

export interface CachedTimeline {
  conversation: string;
  /** The rev up to which the rows are true. */
  rev: number;
  /** The newest message there was at that rev. */
  tail: number;
  from: number;
  to: number;
  messages: Message[];
}

interface CacheSchema extends DBSchema {
  kv: { key: string; value: unknown };
  conversations: { key: string; value: Conversation };
  timelines: { key: string; value: CachedTimeline };
  people: { key: string; value: User };
}

interface OutboxSchema extends DBSchema {
  rows: { key: string; value: OutboxRow };
}

export type Cache = IDBPDatabase<CacheSchema>;

export interface Place {
  host: string;
  epoch: string;
  person: string;
}

const cacheName = (p: Place) => `magpie:${p.host}:${p.epoch}:${p.person}`;
const asideName = (p: Pick<Place, 'host' | 'person'>) => `magpie-aside:${p.host}:${p.person}`;
const outboxName = (p: Pick<Place, 'host' | 'person'>) => `magpie-outbox:${p.host}:${p.person}`;

/** Opens the cache, or gives undefined where the browser refuses (private windows): then nothing is kept. */
export async function openCache(place: Place): Promise<Cache | undefined> {
  try {
    return await openDB<CacheSchema>(cacheName(place), CACHE_SCHEMA, {
      upgrade(db) {
        for (const name of Array.from(db.objectStoreNames)) db.deleteObjectStore(name);
        db.createObjectStore('kv');
        db.createObjectStore('conversations', { keyPath: 'id' });
        db.createObjectStore('timelines', { keyPath: 'conversation' });
        db.createObjectStore('people', { keyPath: 'id' });
      },
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
    });
  } catch {
    return undefined;
  }
}

export async function dropCache(place: Place): Promise<void> {
  await deleteDB(cacheName(place)).catch(() => undefined);
}

export const shelfName = (p: Pick<Place, 'host' | 'person'>) => `magpie-shelf:${p.host}:${p.person}`;

/** With it goes what was put aside, and files that were chosen: what a person has here and nobody else. */
export async function dropOutbox(place: Pick<Place, 'host' | 'person'>): Promise<void> {
  await deleteDB(outboxName(place)).catch(() => undefined);
  await deleteDB(shelfName(place)).catch(() => undefined);
  await dropAside(place);
}

const openAside = (place: Pick<Place, 'host' | 'person'>) =>
  openDB<{ kv: { key: string; value: unknown } }>(asideName(place), 1, {
    upgrade: (db) => {
      db.createObjectStore('kv');
    },
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });

/** Keeps what was being written when a session was ended from elsewhere, for when the same person is back. */
export async function putAside(place: Pick<Place, 'host' | 'person'>, what: unknown): Promise<void> {
  try {
    const db = await openAside(place);
    await db.put('kv', what, 'drafts');
    db.close();
  } catch {
    // This browser keeps nothing.
  }
}

/** What was put aside, if anything; it stays until it is dropped. */
export async function readAside(place: Pick<Place, 'host' | 'person'>): Promise<unknown> {
  try {
    const db = await openAside(place);
    const what = await db.get('kv', 'drafts');
    db.close();
    return what;
  } catch {
    return undefined;
  }
}

export async function dropAside(place: Pick<Place, 'host' | 'person'>): Promise<void> {
  await deleteDB(asideName(place)).catch(() => undefined);
}

/**
 * The outbox on disk; in memory where the browser refuses, and `durable` says so. A device without room first lets go of
 * what can be read again; a row that still finds no place is kept in memory and sent all the same.
 */
export async function openOutboxStore(
  place: Pick<Place, 'host' | 'person'>,
  makeRoom: () => Promise<void> = async () => {},
): Promise<OutboxStore> {
  try {
    const db = await openDB<OutboxSchema>(outboxName(place), OUTBOX_SCHEMA, {
      upgrade: (d) => {
        d.createObjectStore('rows', { keyPath: 'client_id' });
      },
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
    });
    const unkept = new Map<string, OutboxRow>();
    const put = async (row: OutboxRow) => {
      await db.put('rows', row);
    };
    return {
      durable: true,
      all: async () => [...(await db.getAll('rows')).filter((row) => !unkept.has(row.client_id)), ...unkept.values()],
      put: (row) =>
        put(row)
          .catch(() => makeRoom().then(() => put(row)))
          .then(
            () => void unkept.delete(row.client_id),
            () => {
              unkept.set(row.client_id, row);
              storage.setState({ full: true });
            },
          ),
      remove: async (id) => {
        unkept.delete(id);
        await db.delete('rows', id);
      },
      close: () => db.close(),
    };
  } catch {
    device.setState({ storage: 'refused' });
    return memoryOutboxStore();
  }
}

export function memoryOutboxStore(): OutboxStore {
  const rows = new Map<string, OutboxRow>();
  return {
    durable: false,
    all: async () => [...rows.values()],
    put: async (row) => {
      rows.set(row.client_id, row);
    },
    remove: async (id) => {
      rows.delete(id);
    },
    close: () => undefined,
  };
}
