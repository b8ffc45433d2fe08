/**
 * Files on their way to the server (tus 1.0.0). A file goes in parts; after any break the server is asked how far it is and
 * the rest follows. Two at once; the others wait their turn. Needs no secure context.
 */
import { AppError, client, ask as read } from '~/api/client';
import type { Problem, StoredFile } from '~/api/types';
import { backoff } from '../backoff';

export const PART_BYTES = 4 * 1024 * 1024;
const AT_ONCE = 2;
const POLL_MS = 1_000;
/** Nothing sent and nothing heard for so long means that the connection is gone. */
const SILENT_MS = 30_000;

export interface WireAnswer {
  status: number;
  header(name: string): string | null;
  problem: Problem | undefined;
}

/** One request. Rejects when no answer came; `sent` hears of bytes that left. */
export type Wire = (request: {
  method: 'POST' | 'HEAD' | 'PATCH' | 'DELETE';
  url: string;
  headers: Record<string, string>;
  body?: Blob;
  sent?: (bytes: number) => void;
  signal: AbortSignal;
}) => Promise<WireAnswer>;

/** `waiting` goes on by itself; `failed` only when asked to. */
export type UploadState = 'queued' | 'sending' | 'waiting' | 'paused' | 'checking' | 'ready' | 'failed';

export interface Upload {
  readonly key: number;
  readonly file: File;
  readonly org: string | undefined;
  state: UploadState;
  /** Bytes that are there or on their way. */
  sent: number;
  /** Why it failed, or waits. */
  error?: AppError;
  /** What the server made of it, once it is ready. */
  stored?: StoredFile;
  /** Where the server keeps what came of it. */
  url?: string;
  id?: string;
}

/** An upload that an earlier page began. */
export interface Begun {
  url: string;
  id: string;
}

export interface UploadsOptions {
  wire?: Wire;
  read?: (id: string) => Promise<StoredFile>;
  /** Something of this upload is different. */
  changed(upload: Upload): void;
  /** Who asks, where no cookie says it. */
  headers?: () => Record<string, string>;
  /** What the server should know of every file beside its name: keys and plain values. */
  about?: Record<string, string>;
  partBytes?: number;
  random?: () => number;
}

interface Task extends Upload {
  /** An earlier page began it, and perhaps all of it came. */
  begun?: boolean;
  tries: number;
  abort?: AbortController;
  timer?: ReturnType<typeof setTimeout>;
}

const ADDRESS = '/api/v1/files/uploads';
const HEADERS = { 'Tus-Resumable': '1.0.0', 'X-Magpie-CSRF': '1' };
/** Answers of 4xx after which the same upload may go on a little later. */
const LATER = new Set(['rate_limited', 'too_many_uploads', 'upload_offset', 'upload_checksum']);
/** The server has no room: trying again by itself would only take part in the trouble. */
const NEVER = new Set(['storage_full']);

export class Uploads {
  private readonly tasks: Task[] = [];
  private count = 0;
  private readonly wire: Wire;
  private readonly read: (id: string) => Promise<StoredFile>;

  constructor(private readonly o: UploadsOptions) {
    const wire = o.wire ?? overXhr;
    this.wire = (request) => wire({ ...request, headers: { ...request.headers, ...o.headers?.() } });
    this.read = o.read ?? ((id) => read(client.GET('/files/{id}', { params: { path: { id } } })));
  }

  /** `begun` goes on where it was; with `rests` not before it is asked to. */
  add(file: File, org?: string, { begun, rests }: { begun?: Begun | undefined; rests?: boolean } = {}): Upload {
    const state = rests ? 'paused' : 'queued';
    const task: Task = {
      key: ++this.count,
      file,
      org,
      state,
      sent: 0,
      tries: 0,
      ...(begun ? { ...begun, begun: true } : {}),
    };
    this.tasks.push(task);
    this.pump();
    return task;
  }

  pause(key: number): void {
    const task = this.find(key);
    if (!task || task.state === 'ready' || task.state === 'checking') return;
    this.stop(task);
    this.put(task, 'paused');
    this.pump();
  }

  /** Goes on: after a pause, a failure, or before its turn when it waits. */
  resume(key: number): void {
    const task = this.find(key);
    if (!task || !['paused', 'failed', 'waiting'].includes(task.state)) return;
    this.stop(task);
    task.tries = 0;
    delete task.error;
    this.put(task, 'queued');
    this.pump();
  }

  /** Forgets it, here and on the server. */
  cancel(key: number): void {
    const task = this.find(key);
    if (!task) return;
    this.stop(task);
    this.tasks.splice(this.tasks.indexOf(task), 1);
    // Whatever becomes of this: the server forgets unfinished uploads after a day.
    if (task.url && task.state !== 'ready')
      void this.wire({
        method: 'DELETE',
        url: task.url,
        headers: HEADERS,
        signal: new AbortController().signal,
      }).catch(() => undefined);
    this.pump();
  }

  /** It is ready and in other hands. */
  forget(key: number): void {
    const at = this.tasks.findIndex((t) => t.key === key);
    if (at >= 0) this.tasks.splice(at, 1);
  }

  /** The connection is back: what waits need not. */
  nudge(): void {
    for (const task of this.tasks) if (task.state === 'waiting') this.resume(task.key);
  }

  close(): void {
    for (const task of this.tasks.splice(0)) this.stop(task);
  }

  private find(key: number): Task | undefined {
    return this.tasks.find((t) => t.key === key);
  }

  private stop(task: Task): void {
    clearTimeout(task.timer);
    task.abort?.abort();
    delete task.abort;
  }

  private put(task: Task, state: UploadState): void {
    task.state = state;
    this.o.changed(task);
  }

  private pump(): void {
    let busy = this.tasks.filter((t) => t.state === 'sending').length;
    for (const task of this.tasks) {
      if (busy >= AT_ONCE) return;
      if (task.state !== 'queued') continue;
      busy += 1;
      void this.run(task);
    }
  }

  private async run(task: Task): Promise<void> {
    const abort = new AbortController();
    task.abort = abort;
    this.put(task, 'sending');
    try {
      if (!(await this.isWhole(task))) await this.transfer(task, abort.signal);
      if (abort.signal.aborted) return;
      this.put(task, 'checking');
      this.pump();
      await this.settle(task, abort.signal);
    } catch (error) {
      if (!abort.signal.aborted) this.refused(task, error);
    }
    this.pump();
  }

  /** What is whole may be a little smaller there than here, so its offset says nothing. */
  private async isWhole(task: Task): Promise<boolean> {
    if (!task.begun || task.id === undefined) return false;
    task.begun = false;
    const known = await this.read(task.id).catch(() => undefined);
    return known?.state === 'ready' || known?.state === 'checking';
  }

  private async transfer(task: Task, signal: AbortSignal): Promise<void> {
    let at = task.url === undefined ? undefined : await this.whereIs(task, signal);
    if (at === undefined) at = await this.create(task, signal);
    while (at < task.file.size && !signal.aborted) {
      const from: number = at;
      const body = task.file.slice(from, from + (this.o.partBytes ?? PART_BYTES));
      const answer = await this.wire({
        method: 'PATCH',
        url: task.url ?? '',
        headers: { ...HEADERS, 'Upload-Offset': String(from), 'Content-Type': 'application/offset+octet-stream' },
        body,
        sent: (bytes) => this.progress(task, from + bytes),
        signal,
      });
      demand(answer);
      at = offsetOf(answer);
      // Anything that arrived starts the patience anew.
      if (at > from) task.tries = 0;
      this.progress(task, at);
    }
  }

  /** How far the server is; undefined if it knows this upload no more. */
  private async whereIs(task: Task, signal: AbortSignal): Promise<number | undefined> {
    const answer = await this.wire({ method: 'HEAD', url: task.url ?? '', headers: HEADERS, signal });
    if (answer.status === 404 || answer.status === 410) return undefined;
    demand(answer);
    const at = offsetOf(answer);
    this.progress(task, at);
    return at;
  }

  private async create(task: Task, signal: AbortSignal): Promise<number> {
    const ask = (org?: string) => {
      const known = { filename: task.file.name, ...(org ? { org } : {}), ...this.o.about };
      const metadata = Object.entries(known)
        .map(([key, value]) => `${key} ${base64(value)}`)
        .join();
      const headers = { ...HEADERS, 'Upload-Length': String(task.file.size), 'Upload-Metadata': metadata };
      return this.wire({ method: 'POST', url: ADDRESS, headers, signal });
    };
    let answer = await ask(task.org);
    // Guests of an organisation's conversation are not in it: then the file is their own.
    if (answer.status === 404 && task.org) answer = await ask();
    demand(answer);
    const url = answer.header('Location') ?? '';
    task.url = url;
    task.id = answer.header('Magpie-File') ?? url.slice(url.lastIndexOf('/') + 1);
    this.o.changed(task);
    return 0;
  }

  /** A large file is looked at for a while after its last byte. */
  private async settle(task: Task, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const stored = await this.read(task.id ?? '');
      if (signal.aborted) return;
      if (stored.state === 'ready') {
        task.stored = stored;
        return this.put(task, 'ready');
      }
      if (stored.state === 'failed') {
        // All of it came and nothing is left of it: only another upload helps.
        delete task.url;
        throw new AppError('file_lost', 410);
      }
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
  }

  private progress(task: Task, sent: number): void {
    if (task.state !== 'sending') return;
    task.sent = Math.min(sent, task.file.size);
    this.o.changed(task);
  }

  private refused(task: Task, thrown: unknown): void {
    const error = thrown instanceof AppError ? thrown : new AppError('network', 0);
    delete task.abort;
    task.error = error;
    // What is there already stays there; a whole new upload begins only if the server has forgotten it.
    if (error.status === 404) delete task.url;
    const later = (error.transient || LATER.has(error.code) || error.status === 404) && !NEVER.has(error.code);
    task.tries += 1;
    // Without a network one waits for as long as it takes; a server that keeps on refusing is believed at last.
    if (!later || (error.status !== 0 && task.tries > 8)) return this.put(task, 'failed');
    this.put(task, 'waiting');
    const at = Math.max(250, backoff(task.tries, this.o.random));
    task.timer = setTimeout(() => {
      delete task.error;
      this.put(task, 'queued');
      this.pump();
    }, at);
  }
}

function demand(answer: WireAnswer): void {
  if (answer.status >= 200 && answer.status < 300) return;
  const code = answer.problem?.code ?? (answer.status === 413 ? 'file_too_large' : 'internal');
  throw new AppError(code, answer.status, answer.problem);
}

function offsetOf(answer: WireAnswer): number {
  const at = Number(answer.header('Upload-Offset') ?? Number.NaN);
  if (!Number.isSafeInteger(at) || at < 0) throw new AppError('internal', 502);
  return at;
}

/** Any text as base64 of its UTF-8; `btoa` alone knows Latin letters only. */
export function base64(text: string): string {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes);
}

/** XMLHttpRequest tells how much of a body has left, which fetch does not. */
const overXhr: Wire = ({ method, url, headers, body, sent, signal }) =>
  new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    let silent: ReturnType<typeof setTimeout>;
    const gone = () => {
      clearTimeout(silent);
      signal.removeEventListener('abort', stop);
      reject(new AppError('network', 0));
    };
    const stop = () => xhr.abort();
    const heard = () => {
      clearTimeout(silent);
      silent = setTimeout(stop, SILENT_MS);
    };
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = (e) => {
      heard();
      sent?.(e.loaded);
    };
    xhr.onload = () => {
      clearTimeout(silent);
      signal.removeEventListener('abort', stop);
      resolve({
        status: xhr.status,
        header: (name) => xhr.getResponseHeader(name),
        problem: problemOf(xhr.responseText),
      });
    };
    xhr.onerror = gone;
    xhr.onabort = gone;
    signal.addEventListener('abort', stop);
    if (signal.aborted) return gone();
    heard();
    xhr.send(body ?? null);
  });

function problemOf(text: string): Problem | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value?.code === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
