/**
 * Files that were chosen and not sent yet, kept on the device so that they outlive the page: a phone ends pages while its
 * camera is open. Bytes stand apart from what is known of them, as every change would write them again.
 */
import { type DBSchema, openDB } from 'idb';
import { shelfName } from '../db';
import { uuidv7 } from '../uuid';
import type { Attached } from './tray';
import type { Begun } from './uploads';

export interface ShelfRow {
  id: string;
  /** Ascends in the order of choosing. */
  at: number;
  conversation: string;
  /** Some browsers keep bytes without it. */
  name: string;
  begun?: Begun | undefined;
  /** It goes on when somebody asks it to. */
  rests?: boolean;
  /** All of it is on the server; its bytes are not kept here any more. */
  block?: Attached;
  /** It may tell where it was made. */
  traced?: boolean;
}

export interface Shelf {
  /** In the order of choosing. */
  all(conversation: string): Promise<{ row: ShelfRow; file: File | undefined }[]>;
  add(conversation: string, file: File): ShelfRow;
  put(row: ShelfRow): void;
  remove(id: string): void;
  /** Those by these names on the server. */
  letGo(files: readonly string[]): void;
  /** Resolves when everything that was asked for before is done. */
  settled(): Promise<void>;
  close(): void;
}

interface Schema extends DBSchema {
  rows: { key: string; value: ShelfRow };
  bytes: { key: string; value: Blob };
}

/** Undefined where the browser keeps nothing; what finds no room is kept by the page alone. */
export async function openShelf(place: { host: string; person: string }): Promise<Shelf | undefined> {
  try {
    const db = await openDB<Schema>(shelfName(place), 1, {
      upgrade(made) {
        made.createObjectStore('rows', { keyPath: 'id' });
        made.createObjectStore('bytes');
      },
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
    });
    const gone = new Set<string>();
    let at = 0;
    // One after the other: a row that is taken away must not come back by a write that was slower.
    let last: Promise<unknown> = Promise.resolve();
    const then = (work: () => Promise<unknown>) => {
      last = last.then(work).catch(() => undefined);
    };
    const drop = async (id: string) => {
      await db.delete('rows', id);
      await db.delete('bytes', id);
    };
    const remove = (id: string) => {
      gone.add(id);
      then(() => drop(id));
    };
    return {
      async all(conversation) {
        await last;
        const rows = (await db.getAll('rows').catch(() => []))
          .filter((row) => row.conversation === conversation)
          .sort((a, b) => a.at - b.at);
        const fileOf = async ({ id, name }: ShelfRow) => {
          const bytes = await db.get('bytes', id).catch(() => undefined);
          return bytes ? new File([bytes], name, { type: bytes.type }) : undefined;
        };
        return Promise.all(rows.map(async (row) => ({ row, file: await fileOf(row) })));
      },
      add(conversation, file) {
        at = Math.max(Date.now(), at + 1);
        const row = { id: uuidv7(), at, conversation, name: file.name };
        then(async () => {
          if (gone.has(row.id)) return;
          const both = db.transaction(['rows', 'bytes'], 'readwrite');
          await Promise.all([
            both.objectStore('bytes').put(file, row.id),
            both.objectStore('rows').put(row),
            both.done,
          ]);
        });
        return row;
      },
      put(row) {
        then(async () => {
          if (gone.has(row.id)) return;
          // Without its bytes a row that is still on its way is worth nothing.
          if (!row.block && (await db.getKey('bytes', row.id)) === undefined) return;
          await db.put('rows', row);
          if (row.block) await db.delete('bytes', row.id);
        });
      },
      remove,
      letGo(files) {
        then(async () => {
          const rows = await db.getAll('rows');
          for (const { id, block } of rows) if (block && files.includes(block.file)) await drop(id);
        });
      },
      settled: async () => void (await last),
      close: () => db.close(),
    };
  } catch {
    return undefined;
  }
}
