/**
 * One WebSocket to the server, kept alive: hello, ping, back-off, close codes (docs/realtime.md §1 and §6).
 * Knows nothing of streams; what arrives is handed on.
 */
import type { ClientMessage, Resume, ServerMessage } from '~/api/events';
import { backoff } from './backoff';
import { decodeBinary } from './binary';
import { learnServerTime } from './clock';

export type ConnectionState =
  /** Never connected so far. */
  | 'connecting'
  | 'live'
  /** Was live or failed; the next try is waited for or under way. */
  | 'reconnecting'
  /** The device itself says that it has no network. */
  | 'offline'
  /** The session ended. */
  | 'ended'
  /** The server refused this client's way of speaking: only a newer page helps. */
  | 'refused';

export interface SocketOptions {
  url: string;
  resume(): Resume | undefined;
  receive(message: ServerMessage): void;
  changed(state: ConnectionState): void;
  /** A connection failed before `welcome`; a browser hides the status, so ask whether the session still lives. */
  sessionLives(): Promise<boolean>;
  create?: (url: string) => WebSocket;
  random?: () => number;
}

const WELCOME_MS = 15_000;
const STABLE_PING_MS = 25_000;

export class Socket {
  state: ConnectionState = 'connecting';
  private ws: WebSocket | undefined;
  private tries = 0;
  private welcomed = false;
  private stopped = false;
  private pingMs = STABLE_PING_MS;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private idle: ReturnType<typeof setTimeout> | undefined;
  private dead: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: SocketOptions) {}

  start(): void {
    globalThis.addEventListener?.('online', this.wake);
    globalThis.addEventListener?.('offline', this.offline);
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    globalThis.removeEventListener?.('online', this.wake);
    globalThis.removeEventListener?.('offline', this.offline);
    this.clearTimers();
    this.drop(1000);
  }

  /** Sends if live. What must not be lost does not travel this way. */
  send(message: ClientMessage): boolean {
    if (this.state !== 'live' || !this.ws) return false;
    this.ws.send(JSON.stringify(message));
    return true;
  }

  /** Tries now rather than when the back-off ends (the person asked, or the network came back). */
  readonly wake = (): void => {
    if (this.stopped || this.ws || this.state === 'ended' || this.state === 'refused') return;
    this.connect();
  };

  private readonly offline = (): void => {
    if (!this.stopped && !this.welcomed) this.set('offline');
  };

  private connect(): void {
    clearTimeout(this.retry);
    this.welcomed = false;
    const ws = this.options.create?.(this.options.url) ?? new WebSocket(this.options.url);
    this.ws = ws;
    ws.binaryType = 'arraybuffer';
    ws.onopen = () => {
      const resume = this.options.resume();
      const hello: ClientMessage = { t: 'hello', api: 1, client: 'magpie-web', ...(resume ? { resume } : {}) };
      ws.send(JSON.stringify(hello));
    };
    ws.onmessage = (event) => this.received(ws, event.data);
    ws.onclose = (event) => this.closed(ws, event.code, event.reason);
    this.dead = setTimeout(() => this.abandon(ws), WELCOME_MS);
  }

  private received(ws: WebSocket, data: unknown): void {
    if (ws !== this.ws) return;
    const message = parse(data);
    if (!message) return;
    if (message.t === 'welcome') {
      this.welcomed = true;
      this.pingMs = message.ping_ms || STABLE_PING_MS;
      learnServerTime(message.server_time);
    }
    this.armPing();
    this.armDead(ws);
    if (message.t === 'welcome') this.set('live');
    if (message.t === 'resumed') this.tries = 0;
    if (message.t === 'pong') learnServerTime(message.server_time);
    this.options.receive(message);
  }

  private armPing(): void {
    clearTimeout(this.idle);
    this.idle = setTimeout(() => {
      this.send({ t: 'ping' });
      this.armPing();
    }, this.pingMs);
  }

  private armDead(ws: WebSocket): void {
    clearTimeout(this.dead);
    this.dead = setTimeout(() => this.abandon(ws), 2.5 * this.pingMs);
  }

  /** A half-open connection may never report its close: count it as closed now. */
  private abandon(ws: WebSocket): void {
    if (ws !== this.ws) return;
    this.drop(4408);
    this.closed(undefined, 1006, '');
  }

  private drop(code: number): void {
    const ws = this.ws;
    this.ws = undefined;
    if (!ws) return;
    ws.onopen = ws.onmessage = ws.onclose = null;
    try {
      ws.close(code);
    } catch {
      // Closing a socket that is still connecting may throw; it is gone for us either way.
    }
  }

  private closed(ws: WebSocket | undefined, code: number, reason: string): void {
    if (ws && ws !== this.ws) return;
    this.ws = undefined;
    this.clearTimers();
    if (this.stopped) return;
    if (code === 4401) return this.set('ended');
    if (code === 4400) return this.set('refused');
    if (this.welcomed) return this.again(code, reason);
    void this.options.sessionLives().then((lives) => {
      if (this.stopped || this.ws) return;
      if (lives) this.again(code, reason);
      else this.set('ended');
    });
  }

  private again(code: number, reason: string): void {
    this.set(globalThis.navigator?.onLine === false ? 'offline' : 'reconnecting');
    let delay = backoff(this.tries, this.options.random);
    this.tries = Math.min(this.tries + 1, 10);
    if (code === 4429) delay = 30_000 + delay;
    if (code === 4503) delay = retryAfter(reason) ?? delay;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.connect(), delay);
  }

  private clearTimers(): void {
    clearTimeout(this.retry);
    clearTimeout(this.idle);
    clearTimeout(this.dead);
  }

  private set(state: ConnectionState): void {
    if (state === this.state) return;
    this.state = state;
    this.options.changed(state);
  }
}

function parse(data: unknown): ServerMessage | undefined {
  if (data instanceof ArrayBuffer) return decodeBinary(data);
  if (typeof data !== 'string') return undefined;
  try {
    const value = JSON.parse(data);
    return typeof value?.t === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function retryAfter(reason: string): number | undefined {
  try {
    const value = JSON.parse(reason)?.retry_after_ms;
    return typeof value === 'number' ? value : undefined;
  } catch {
    const digits = /\d+/.exec(reason)?.[0];
    return digits ? Number(digits) : undefined;
  }
}
