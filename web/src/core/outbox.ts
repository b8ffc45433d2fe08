/**
 * Messages on their way. A row is written before the first try and kept until the server has it on disk; on any doubt the
 * same row is sent again under the same client id. Order within a conversation is kept: its next row waits for the one before.
 */
import { type AppError, asAppError } from '~/api/client';
import type { NewMessage, Sent, Uuid } from '~/api/types';
import { backoff } from './backoff';

export interface OutboxRow extends NewMessage {
  mentions: Uuid[];
  mention_all: boolean;
  conversation: string;
  /** Orders rows; client ids of one tab alone would not be enough after the clock is set. */
  order: number;
  created_at: number;
  /** Why the server refused it; absent while it is still being tried. */
  failed?: { code: string; context?: Record<string, unknown> };
  /** Shown, never kept: why the server takes nothing at the moment; it is tried again by itself. */
  waiting?: string;
  /** Shown, never kept: the device had no room for it, so it lives as long as the page. */
  unkept?: boolean;
}

export interface OutboxStore {
  readonly durable: boolean;
  all(): Promise<OutboxRow[]>;
  put(row: OutboxRow): Promise<void>;
  remove(clientId: string): Promise<void>;
  close(): void;
}

export interface OutboxOptions {
  store: OutboxStore;
  send(row: OutboxRow): Promise<Sent>;
  /** The rows after any change, in order. */
  changed(rows: OutboxRow[]): void;
  /** This tab changed what is on disk; others should read it. */
  wrote(): void;
  acknowledged(row: OutboxRow, sent: Sent): void;
  random?: () => number;
}

/** Codes that mean "not now" although their status says 4xx. */
const WAIT_CODES = new Set(['unauthenticated', 'rate_limited', 'csrf_required']);

export class Outbox {
  private rows: OutboxRow[] = [];
  private readonly sending = new Set<string>();
  private readonly waiting = new Map<
    string,
    { tries: number; code: string; timer: ReturnType<typeof setTimeout> | undefined }
  >();
  private readonly unkept = new Map<string, OutboxRow>();
  private running = false;
  private closed = false;

  constructor(private readonly o: OutboxOptions) {}

  /** Reads what an earlier page left behind; shows it, sends nothing yet. */
  async load(): Promise<void> {
    this.rows = sorted([...(await this.o.store.all()), ...this.unkept.values()]);
    this.show();
  }

  /** From now on this tab sends. */
  run(): void {
    this.running = true;
    this.pump();
  }

  /** Resolves once the row is kept; only then may the composer be emptied. */
  async add(row: Omit<OutboxRow, 'order'>): Promise<void> {
    const last = this.rows[this.rows.length - 1];
    const full = { ...row, order: Math.max(Date.now(), (last?.order ?? 0) + 1) };
    try {
      await this.o.store.put(full);
    } catch {
      // The device is full or refuses: better sent from memory than not at all.
      this.unkept.set(full.client_id, full);
    }
    this.set([...this.rows, full]);
    this.pump();
  }

  async retry(clientId: string): Promise<void> {
    const row = this.rows.find((r) => r.client_id === clientId);
    if (!row?.failed) return;
    const { failed: _, ...again } = row;
    await this.keep(again);
    this.set(this.rows.map((r) => (r.client_id === clientId ? again : r)));
    this.pump();
  }

  /** Takes a row out for good: the person deleted it, or its message came back by the stream. */
  async remove(clientId: string): Promise<void> {
    if (!this.rows.some((r) => r.client_id === clientId)) return;
    await this.drop(clientId);
    this.set(this.rows.filter((r) => r.client_id !== clientId));
    this.pump();
  }

  /** The connection is back: what waits for its back-off need not. */
  nudge(): void {
    for (const wait of this.waiting.values()) clearTimeout(wait.timer);
    this.waiting.clear();
    this.pump();
  }

  get size(): number {
    return this.rows.length;
  }

  close(): void {
    this.closed = true;
    this.running = false;
    for (const wait of this.waiting.values()) clearTimeout(wait.timer);
    this.o.store.close();
  }

  private set(rows: OutboxRow[]): void {
    this.rows = sorted(rows);
    if (this.closed) return;
    this.show();
    this.o.wrote();
  }

  /** What a full device refuses is still true in memory. */
  private async keep(row: OutboxRow): Promise<void> {
    if (this.unkept.has(row.client_id)) this.unkept.set(row.client_id, row);
    else await this.o.store.put(row).catch(() => this.unkept.set(row.client_id, row));
  }

  private async drop(clientId: string): Promise<void> {
    this.unkept.delete(clientId);
    await this.o.store.remove(clientId).catch(() => undefined);
  }

  private show(): void {
    if (this.closed) return;
    const first = new Set<string>();
    const rows = this.rows.map((row) => {
      const unkept = this.unkept.has(row.client_id) ? { unkept: true } : {};
      if (row.failed || first.has(row.conversation)) return { ...row, ...unkept };
      first.add(row.conversation);
      const code = this.waiting.get(row.conversation)?.code;
      // Without a connection the page says so in one place for all of them.
      return { ...row, ...unkept, ...(code && code !== 'network' ? { waiting: code } : {}) };
    });
    this.o.changed(rows);
  }

  private pump(): void {
    if (!this.running || this.closed) return;
    const started = new Set<string>();
    for (const row of this.rows) {
      if (row.failed || started.has(row.conversation)) continue;
      started.add(row.conversation);
      if (this.sending.has(row.conversation) || this.waiting.get(row.conversation)?.timer) continue;
      void this.send(row);
    }
  }

  private async send(row: OutboxRow): Promise<void> {
    this.sending.add(row.conversation);
    try {
      const sent = await this.o.send(row);
      this.forgetWait(row.conversation);
      if (this.closed) return;
      await this.drop(row.client_id);
      this.o.acknowledged(row, sent);
      this.set(this.rows.filter((r) => r.client_id !== row.client_id));
    } catch (error) {
      if (!this.closed) await this.refused(row, asAppError(error));
    } finally {
      this.sending.delete(row.conversation);
    }
    this.pump();
  }

  private async refused(row: OutboxRow, error: AppError): Promise<void> {
    if (error.transient || WAIT_CODES.has(error.code)) return this.wait(row.conversation, error.code);
    this.forgetWait(row.conversation);
    const failed = { ...row, failed: { code: error.code, context: error.context } };
    if (!this.rows.some((r) => r.client_id === row.client_id)) return;
    await this.keep(failed);
    this.set(this.rows.map((r) => (r.client_id === row.client_id ? failed : r)));
  }

  private wait(conversation: string, code: string): void {
    const tries = (this.waiting.get(conversation)?.tries ?? 0) + 1;
    const timer = setTimeout(
      () => {
        this.waiting.set(conversation, { tries, code, timer: undefined });
        this.pump();
      },
      Math.max(250, backoff(tries, this.o.random)),
    );
    this.waiting.set(conversation, { tries, code, timer });
    this.show();
  }

  private forgetWait(conversation: string): void {
    clearTimeout(this.waiting.get(conversation)?.timer);
    this.waiting.delete(conversation);
  }
}

const sorted = (rows: OutboxRow[]) => [...rows].sort((a, b) => a.order - b.order);
