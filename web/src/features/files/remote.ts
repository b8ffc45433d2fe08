/**
 * A file on the server, read in parts. Addresses of originals live for minutes and a viewer stays open for hours: a new one
 * is asked for when the old one ends. Without a network it waits and goes on by itself.
 */
import { AppError, asAppError } from '~/api/client';
import { backoff } from '~/core/backoff';
import { readLink } from './api';

/** Parts on their way at a time; the server gives one person sixteen. */
const AT_ONCE = 4;
/** The most that is asked for at once, in bytes: what breaks off is not read anew from far back. */
const PART = 1_048_576;
/** So long before its end an address is not used any more. */
const MARGIN_MS = 30_000;
/** Answers of a server in trouble that are believed at last. */
const TRIES = 6;

export interface RemoteOptions {
  link?: (file: string) => Promise<{ url: string; expires_at: number }>;
  get?: typeof fetch;
  now?: () => number;
  random?: () => number;
  /** Whether it waits for the network. */
  waiting?: (waits: boolean) => void;
  /** So many bytes have come. */
  came?: (bytes: number) => void;
}

export class Remote {
  private address: Promise<{ url: string; expires_at: number }> | undefined;
  private readonly closed = new AbortController();
  private running = 0;
  private readonly queue: (() => void)[] = [];
  private wake: (() => void)[] = [];
  private asleep = 0;

  constructor(
    private readonly file: string,
    /** In bytes. */
    readonly size: number,
    private readonly o: RemoteOptions = {},
  ) {
    globalThis.addEventListener?.('online', this.nudge);
  }

  /** The bytes `from..to`, to the end of the file at most. Rejects once it is closed, or cannot be read any more. */
  async read(from: number, to: number): Promise<ArrayBuffer> {
    const end = Math.min(to, this.size);
    if (end <= from) return new ArrayBuffer(0);
    if (end - from <= PART) return this.part(from, end);
    const starts = Array.from({ length: Math.ceil((end - from) / PART) }, (_, i) => from + i * PART);
    const whole = new Uint8Array(end - from);
    const one = async (at: number) => {
      const bytes = await this.part(at, Math.min(at + PART, end));
      whole.set(new Uint8Array(bytes), at - from);
    };
    await Promise.all(starts.map(one));
    return whole.buffer;
  }

  private async part(from: number, to: number): Promise<ArrayBuffer> {
    await this.turn();
    try {
      return await this.insist(from, to);
    } finally {
      this.running -= 1;
      this.queue.shift()?.();
    }
  }

  /** The network is back, or somebody does not want to wait. */
  nudge = (): void => {
    for (const wake of this.wake.splice(0)) wake();
  };

  close(): void {
    globalThis.removeEventListener?.('online', this.nudge);
    this.closed.abort();
    this.nudge();
    for (const next of this.queue.splice(0)) next();
  }

  private async turn(): Promise<void> {
    if (this.running >= AT_ONCE) await new Promise<void>((go) => this.queue.push(go));
    this.running += 1;
  }

  private async insist(from: number, to: number): Promise<ArrayBuffer> {
    let renewed = false;
    for (let tries = 0; ; tries += 1) {
      if (this.closed.signal.aborted) throw new AppError('client', -1);
      try {
        return await this.once(from, to);
      } catch (thrown) {
        const error = asAppError(thrown);
        if (error.status === 404 && !renewed) {
          // The address ended early, with its session or by the clock of this device; asking anew says whether more did.
          renewed = true;
          this.address = undefined;
        } else if (error.transient && (error.status === 0 || tries < TRIES)) {
          await this.rest(tries, error);
        } else {
          throw error;
        }
      }
    }
  }

  private async once(from: number, to: number): Promise<ArrayBuffer> {
    const { url } = await this.where();
    let answer: Response;
    let bytes: ArrayBuffer;
    try {
      answer = await (this.o.get ?? fetch)(url, {
        headers: { Range: `bytes=${from}-${to - 1}` },
        credentials: 'omit',
        signal: this.closed.signal,
      });
      if (answer.status !== 206 && answer.status !== 200) throw new AppError(codeOf(answer.status), answer.status);
      bytes = await answer.arrayBuffer();
    } catch (error) {
      throw error instanceof AppError ? error : new AppError('network', 0);
    }
    this.o.came?.(bytes.byteLength);
    const part = answer.status === 200 ? bytes.slice(from, to) : bytes;
    // A connection that ends early is no end of the file.
    if (part.byteLength !== to - from) throw new AppError('network', 0);
    return part;
  }

  private async where(): Promise<{ url: string }> {
    const now = (this.o.now ?? Date.now)();
    let known = await this.address?.catch(() => undefined);
    if (!known || known.expires_at - now < MARGIN_MS) {
      this.address = (this.o.link ?? readLink)(this.file);
      known = await this.address;
    }
    return known;
  }

  private async rest(tries: number, error: AppError): Promise<void> {
    const after = error.status === 429 ? 1_000 : 0;
    this.asleep += 1;
    this.o.waiting?.(true);
    await new Promise<void>((go) => {
      const timer = setTimeout(go, Math.max(250, after, backoff(tries + 1, this.o.random)));
      this.wake.push(() => {
        clearTimeout(timer);
        go();
      });
    });
    this.asleep -= 1;
    if (this.asleep === 0) this.o.waiting?.(false);
  }
}

const CODES: Record<number, string> = { 404: 'not_found', 410: 'file_missing', 429: 'rate_limited' };
const codeOf = (status: number) => CODES[status] ?? 'internal';

/** Why a file cannot be read, of what `Remote` rejects with. */
export function faultOf(error: unknown): 'gone' | 'lost' | 'failed' {
  const { code } = asAppError(error);
  return code === 'not_found' ? 'gone' : code === 'file_missing' ? 'lost' : 'failed';
}
