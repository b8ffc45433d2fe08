/** What is being attached to a conversation's next message: uploads, in the order in which they were chosen. */
import type { AppError } from '~/api/client';
import type { FileBlock, FileSpace, ImageBlock, StoredFile } from '~/api/types';
import { readSpace } from './api';
import type { Shelf, ShelfRow } from './shelf';
import { type Upload, type UploadState, Uploads, type UploadsOptions } from './uploads';

export type Attached = ImageBlock | FileBlock;

/** As many as one message shows. */
export const MOST = 20;
/** The server lets go of what stands in no message after seven days. */
const LOOSE_MS = 6 * 86_400_000;

export interface Chip {
  key: number;
  name: string;
  size: number;
  sent: number;
  state: UploadState;
  error?: AppError;
  /** An address of the chosen picture on this device. */
  preview?: string;
}

/** Where a tray is shown and kept; the tray itself knows no screen. */
export interface TrayHome {
  chips(conversation: string, chips: readonly Chip[]): void;
  /** The first ones are there; what follows them is still on its way. Whoever is handed a preview lets go of it. */
  ready(conversation: string, block: Attached, preview: string | undefined): void;
  /** A file that was not taken; `limit` is in bytes, of `too_many` a count. */
  refused(conversation: string, name: string, why: 'too_many' | 'too_large' | 'no_space', limit: number): void;
  /** What its camera wrote into it may stand in it still, which whoever sends it should know. */
  traced(conversation: string, name: string): void;
}

interface Held {
  conversation: string;
  upload: Upload;
  preview?: string;
  /** As it is kept on the device. */
  row?: ShelfRow;
}

/** The block by which a message shows a file. */
export function blockOf(f: StoredFile): Attached {
  const base = { file: f.id, name: f.name, size: f.size, mime: f.mime };
  if (!f.picture) return { type: 'file', ...base };
  const { width, height, colour, animated } = f.picture;
  return { type: 'image', ...base, width, height, colour, animated };
}

export class Trays {
  private held: Held[] = [];
  private readonly uploads: Uploads;

  constructor(
    private readonly home: TrayHome,
    options: Partial<UploadsOptions> = {},
    private readonly space: (org?: string) => Promise<FileSpace> = readSpace,
    /** Where what is on its way outlives the page, if anywhere. */
    private readonly shelf?: Shelf,
  ) {
    this.uploads = new Uploads({ ...options, changed: (upload) => this.changed(upload) });
  }

  /** Takes files along; `attached` are there already. What cannot be sent is refused before a byte leaves. */
  async take(conversation: string, org: string | undefined, files: readonly File[], attached: number): Promise<void> {
    const limits = await this.space(org).catch(() => (org ? this.space().catch(() => undefined) : undefined));
    const limit = limits?.file_limit ?? Number.POSITIVE_INFINITY;
    const left = limits
      ? Math.min(limits.limit - limits.used, limits.org ? limits.org.limit - limits.org.used : limits.limit)
      : limit;
    let room = Math.max(0, left - this.unfinished());
    for (const file of files) {
      if (this.of(conversation).length + attached >= MOST) {
        this.home.refused(conversation, file.name, 'too_many', MOST);
      } else if (file.size > limit) {
        this.home.refused(conversation, file.name, 'too_large', limit);
      } else if (file.size > room) {
        this.home.refused(conversation, file.name, 'no_space', room);
      } else {
        room -= file.size;
        this.add(conversation, org, file);
      }
    }
    this.show(conversation);
  }

  /** What an earlier page left: it goes on where it was, or says that it is whole. */
  async restore(conversation: string): Promise<void> {
    const left = (await this.shelf?.all(conversation)) ?? [];
    const mine = new Set(this.held.map((h) => h.row?.id));
    for (const { row, file } of left) {
      if (mine.has(row.id)) continue;
      if (row.block && Date.now() - row.at > LOOSE_MS) this.shelf?.remove(row.id);
      else if (row.block) {
        this.home.ready(conversation, row.block, undefined);
        if (row.traced) this.home.traced(conversation, row.block.name ?? '');
      } else if (file) this.add(conversation, undefined, file, row);
      else this.shelf?.remove(row.id);
    }
    this.show(conversation);
  }

  /** They are in other hands, or wanted no more. */
  letGo(files: readonly string[]): void {
    this.shelf?.letGo(files);
  }

  pause = (key: number) => this.uploads.pause(key);
  resume = (key: number) => this.uploads.resume(key);
  nudge = () => this.uploads.nudge();

  remove(key: number): void {
    const one = this.held.find((h) => h.upload.key === key);
    if (!one) return;
    this.uploads.cancel(key);
    if (one.row) this.shelf?.remove(one.row.id);
    this.drop(one);
    this.flush(one.conversation);
  }

  get size(): number {
    return this.held.length;
  }

  close(): void {
    this.uploads.close();
    for (const one of [...this.held]) this.drop(one);
  }

  private unfinished(): number {
    // What has begun is counted by the server with its whole size.
    return this.held.filter((h) => h.upload.state === 'queued').reduce((sum, h) => sum + h.upload.file.size, 0);
  }

  private add(conversation: string, org: string | undefined, file: File, was?: ShelfRow): void {
    const shown = /^image\/(png|jpeg|gif|webp|avif|bmp)$/.test(file.type);
    const upload = this.uploads.add(file, org, { begun: was?.begun, rests: was?.rests ?? false });
    const row = was ?? this.shelf?.add(conversation, file);
    const preview = shown ? { preview: URL.createObjectURL(file) } : {};
    this.held.push({ conversation, upload, ...preview, ...(row ? { row } : {}) });
  }

  /** What changed of it that another page would have to know. */
  private note(one: Held): void {
    const { row, upload } = one;
    if (!row) return;
    const { url, id } = upload;
    const rests = upload.state === 'paused' || upload.state === 'failed';
    const begun = url !== undefined && id !== undefined ? { url, id } : undefined;
    if (row.rests === rests && row.begun?.url === begun?.url) return;
    one.row = { ...row, rests, begun };
    this.shelf?.put(one.row);
  }

  private of(conversation: string): Held[] {
    return this.held.filter((h) => h.conversation === conversation);
  }

  private changed(upload: Upload): void {
    const one = this.held.find((h) => h.upload.key === upload.key);
    if (!one) return;
    this.note(one);
    this.flush(one.conversation);
  }

  /** Those that are ready at the front go into the message, so that the order of choosing is kept. */
  private flush(conversation: string): void {
    for (const one of this.of(conversation)) {
      if (!one.upload.stored) break;
      this.held = this.held.filter((h) => h !== one);
      this.uploads.forget(one.upload.key);
      const block = blockOf(one.upload.stored);
      // Its bytes are there: only what it is called is kept.
      const traced = one.upload.stored.traces_left === true;
      if (one.row) this.shelf?.put({ ...one.row, block, ...(traced ? { traced } : {}) });
      this.home.ready(conversation, block, one.preview);
      if (traced) this.home.traced(conversation, one.upload.stored.name);
    }
    this.show(conversation);
  }

  private drop(one: Held): void {
    if (one.preview) URL.revokeObjectURL(one.preview);
    this.held = this.held.filter((h) => h !== one);
  }

  private show(conversation: string): void {
    this.home.chips(
      conversation,
      this.of(conversation).map(({ upload: u, preview }) => ({
        key: u.key,
        name: u.file.name,
        size: u.file.size,
        sent: u.sent,
        state: u.state,
        ...(u.error ? { error: u.error } : {}),
        ...(preview ? { preview } : {}),
      })),
    );
  }
}
