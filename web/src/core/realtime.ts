/**
 * Streams over one socket that all tabs share. Holds the rule of docs/realtime.md §2: apply a frame only if it is the
 * next, drop what is known, ask for what is missing. What an event means is the handlers' business.
 */
import type { CatchUp, ClientMessage, Ephemeral, Frame, Resume, ServerMessage, StreamKind } from '~/api/events';
import { type ConnectionState, Socket } from './socket';
import type { Tabs } from './tabs';

export interface StreamHandler {
  /** The rev up to which this client holds the stream; undefined if it holds nothing of it. */
  known(id: string): number | undefined;
  /** Applies the next frame. `bytes`, where there are any, has what each of the events carries. */
  apply(id: string, rev: number, events: unknown[], bytes?: Uint8Array[]): void;
  /** Applies rows changed after `from`; only called when `from` is not after what is known. */
  catchUp(id: string, from: number, rev: number, events: unknown[], bytes?: Uint8Array[]): void;
  /** The first frame of a stream whose rev was not known: it was read after connecting, so this frame may be applied. */
  first?(id: string, rev: number, events: unknown[], bytes?: Uint8Array[]): void;
  /** Takes what another follower passed on, of which nothing is kept. */
  passed?(id: string, user: string, bytes: Uint8Array): void;
  /** Forget the stream and read it again. */
  resync(id: string): void;
}

/** What tabs tell each other. */
export type TabMessage =
  | { k: 'server'; message: ServerMessage }
  | { k: 'state'; state: ConnectionState }
  | { k: 'follower'; tab: string }
  | { k: 'leader' }
  | { k: 'ask'; message: ClientMessage }
  | { k: 'wants'; tab: string; open: string[]; watch: string[] }
  | { k: 'bye'; tab: string }
  | { k: 'outbox' }
  | { k: 'outbox_changed' }
  | { k: 'wake' }
  | { k: 'signed_out' };

export interface RealtimeOptions {
  tabs: Tabs<TabMessage>;
  tab: string;
  url: string;
  epoch(): string | undefined;
  resume(): Resume | undefined;
  stateChanged(state: ConnectionState): void;
  ephemeral(message: Ephemeral): void;
  /** After `resumed`, with whether the server brought this tab up to date by itself. */
  resumed(caughtUp: boolean, personRev: number | undefined): void;
  /** The server was restored from a backup, or is another one. */
  newEpoch(epoch: string | undefined): void;
  sessionLives(): Promise<boolean>;
  other(message: TabMessage): void;
  leading(): void;
  createSocket?: (url: string) => WebSocket;
}

/** How long an unanswered request to catch up holds back the next one for the same stream. */
const ASK_AGAIN_MS = 3_000;
const MAX_OPEN = 8;
const MAX_WATCH = 200;

interface Wants {
  open: string[];
  watch: string[];
}

export class Realtime {
  state: ConnectionState = 'connecting';
  leads = false;
  private socket: Socket | undefined;
  private readonly handlers = new Map<StreamKind, StreamHandler>();
  private readonly asked = new Map<string, number>();
  private readonly wants = new Map<string, Wants>();
  private openOnServer = new Set<string>();
  private resumedWith = false;

  constructor(private readonly o: RealtimeOptions) {}

  handle(kind: StreamKind, handler: StreamHandler): void {
    this.handlers.set(kind, handler);
  }

  start(): void {
    this.o.tabs.listen((message) => this.fromTab(message));
    this.o.tabs.post({ k: 'follower', tab: this.o.tab });
    this.o.tabs.lead(() => this.becomeLeader());
  }

  stop(): void {
    this.o.tabs.post({ k: 'bye', tab: this.o.tab });
    this.socket?.stop();
    this.o.tabs.close();
  }

  /** Try to connect now. */
  wake(): void {
    if (this.socket) this.socket.wake();
    else this.o.tabs.post({ k: 'wake' });
  }

  signedOut(): void {
    this.o.tabs.post({ k: 'signed_out' });
  }

  /** The outbox on disk changed: whoever sends, or shows it, reads it again. */
  outboxWritten(): void {
    this.o.tabs.post({ k: this.leads ? 'outbox_changed' : 'outbox' });
  }

  /** Which conversations this tab shows, and whose presence; replaces the former. */
  want(wants: Partial<Wants>): void {
    const mine = { ...(this.wants.get(this.o.tab) ?? { open: [], watch: [] }), ...wants };
    this.wants.set(this.o.tab, mine);
    if (this.leads) this.tellWants();
    else this.o.tabs.post({ k: 'wants', tab: this.o.tab, ...mine });
  }

  typing(conversation: string): void {
    this.ask({ t: 'typing', stream: `conversation:${conversation}` });
  }

  catchUp(stream: string, rev: number): void {
    const key = `${stream}@${rev}`;
    const last = this.asked.get(key);
    if (last !== undefined && Date.now() - last < ASK_AGAIN_MS) return;
    this.asked.set(key, Date.now());
    if (this.asked.size > 500) this.asked.clear();
    this.ask({ t: 'catch_up', stream, rev });
  }

  private ask(message: ClientMessage): void {
    if (this.leads) this.socket?.send(message);
    else this.o.tabs.post({ k: 'ask', message });
  }

  private becomeLeader(): void {
    this.leads = true;
    this.socket = new Socket({
      url: this.o.url,
      resume: () => {
        const resume = this.o.resume();
        this.resumedWith = Boolean(resume);
        return resume;
      },
      receive: (message) => {
        this.receive(message);
        this.o.tabs.post({ k: 'server', message });
      },
      changed: (state) => {
        this.setState(state);
        this.o.tabs.post({ k: 'state', state });
      },
      sessionLives: this.o.sessionLives,
      ...(this.o.createSocket ? { create: this.o.createSocket } : {}),
    });
    this.o.tabs.post({ k: 'leader' });
    this.socket.start();
    this.o.leading();
  }

  private fromTab(m: TabMessage): void {
    // Tabs that share nothing have a socket each: only what concerns the common disk and the session is heard.
    if (!this.o.tabs.shared && m.k !== 'outbox_changed' && m.k !== 'signed_out') return;
    if (m.k === 'server') this.receive(m.message);
    else if (m.k === 'state') this.setState(m.state);
    else if (m.k === 'leader') this.want({});
    else if (!this.leads) this.o.other(m);
    else if (m.k === 'follower') this.o.tabs.post({ k: 'state', state: this.state });
    else if (m.k === 'ask') this.socket?.send(m.message);
    else if (m.k === 'wake') this.socket?.wake();
    else if (m.k === 'wants' || m.k === 'bye') this.otherWants(m);
    else this.o.other(m);
  }

  private otherWants(m: Extract<TabMessage, { k: 'wants' | 'bye' }>): void {
    if (m.k === 'bye') this.wants.delete(m.tab);
    else this.wants.set(m.tab, { open: m.open, watch: m.watch });
    this.tellWants();
  }

  private tellWants(): void {
    const open = new Set<string>();
    const watch = new Set<string>();
    for (const w of this.wants.values()) {
      for (const id of w.open) if (open.size < MAX_OPEN) open.add(id);
      for (const id of w.watch) if (watch.size < MAX_WATCH) watch.add(id);
    }
    for (const conversation of this.openOnServer) {
      if (!open.has(conversation)) this.socket?.send({ t: 'close', conversation });
    }
    for (const conversation of open) {
      if (!this.openOnServer.has(conversation)) this.socket?.send({ t: 'open', conversation });
    }
    this.openOnServer = open;
    this.socket?.send({ t: 'watch', users: [...watch] });
  }

  private setState(state: ConnectionState): void {
    this.state = state;
    this.o.stateChanged(state);
  }

  private receive(message: ServerMessage): void {
    switch (message.t) {
      case 'welcome': {
        this.asked.clear();
        const epoch = this.o.epoch();
        if (epoch && epoch !== message.epoch) this.o.newEpoch(message.epoch);
        return;
      }
      case 'resumed':
        if (this.leads) {
          this.openOnServer = new Set();
          this.tellWants();
        }
        return this.o.resumed(this.leads && this.resumedWith, message.person);
      case 'frame':
        return this.frame(message);
      case 'catch_up':
        return this.caughtUp(message);
      case 'resync':
        if (message.stream === '*') return this.o.newEpoch(undefined);
        return this.withHandler(message.stream, (handler, id) => handler.resync(id));
      case 'passed':
        return this.withHandler(message.stream, (handler, id) => handler.passed?.(id, message.user, message.bytes));
      case 'typing':
      case 'receipts':
      case 'presence':
      case 'touched':
        return this.o.ephemeral(message);
      default:
      // `pong` is the socket's, `error` has nothing to repair, and unknown kinds must be ignored.
    }
  }

  private frame(frame: Frame): void {
    this.withHandler(frame.stream, (handler, id) => {
      const known = handler.known(id);
      if (known === undefined) return handler.first?.(id, frame.rev, frame.events, frame.bytes);
      if (frame.rev <= known) return;
      if (frame.rev === known + 1) handler.apply(id, frame.rev, frame.events, frame.bytes);
      else this.catchUp(frame.stream, known);
    });
  }

  private caughtUp(message: CatchUp): void {
    this.withHandler(message.stream, (handler, id) => {
      this.asked.delete(`${message.stream}@${message.from}`);
      const known = handler.known(id);
      if (known === undefined) return;
      if (message.from > known) return this.catchUp(message.stream, known);
      handler.catchUp(id, message.from, message.rev, message.events, message.bytes);
    });
  }

  private withHandler(stream: string, use: (handler: StreamHandler, id: string) => void): void {
    const at = stream.indexOf(':');
    const handler = this.handlers.get(stream.slice(0, at) as StreamKind);
    if (handler) use(handler, stream.slice(at + 1));
  }
}
