/**
 * Opens PDF files with pdf.js. No script of a file runs: the part of pdf.js that could is not in the bundle, nor are forms
 * and the layer for notes. Links are drawn by us, to the web and to mail alone.
 */
import type { PDFDocumentProxy, PDFPageProxy } from 'pdfjs-dist/types/src/display/api';
import { workerUrl } from '~/core/trusted';
import { faultOf, type Remote } from '../remote';
import worker from './pdf.worker?worker&url';

export type { PDFDocumentProxy, PDFPageProxy };

type Library = typeof import('./pdfjs');

let library: Library | undefined;

async function load(): Promise<Library> {
  library ??= await import('./pdfjs');
  return library;
}

/** Whoever has a page has opened a file. */
function loaded(): Library {
  if (!library) throw new Error('no file was opened');
  return library;
}

/** What is read at a time: as much as the server reads from its store at once. */
const CHUNK = 262_144;
/** A picture inside a file may have so many pixels; a larger one is left out. */
const MOST_IMAGE = 100_000_000;
/** A thread that does not end by itself for so long is ended. */
const GRACE_MS = 2_000;
/** CSS pixels for a point. */
export const POINT = 96 / 72;
/** Safari draws no canvas of more pixels than this. */
const MOST_PIXELS = 16_777_216;

export type Fault = 'damaged' | 'gone' | 'lost' | 'failed';

export interface Asking {
  /** The one that was given did not fit. */
  wrong: boolean;
  answer(password: string): void;
}

function startThread({ GlobalWorkerOptions }: Pick<Library, 'GlobalWorkerOptions'>): Worker | undefined {
  try {
    const thread = new Worker(workerUrl(worker), { type: 'module' });
    GlobalWorkerOptions.workerPort = thread;
    return thread;
  } catch {
    // A browser that starts none: the file can still be saved.
    return undefined;
  }
}

interface Heard {
  ask(asking: Asking): void;
  /** It cannot be read any further. */
  lost(fault: Fault): void;
}

/** Resolves with a file that can be drawn; rejects with a `Fault`. To be closed in any case. */
export function openPdf(
  remote: Remote,
  { ask, lost }: Heard,
): { opened: Promise<PDFDocumentProxy>; close: () => void } {
  let closed = false;
  let end = () => {};
  const opened = new Promise<PDFDocumentProxy>((resolve, reject) => {
    const fail = (error: unknown) => {
      if (closed) return;
      const fault = faultOf(error);
      reject(fault);
      lost(fault);
    };
    const begin = ({ getDocument, ...js }: Library) => {
      const thread = closed ? undefined : startThread(js);
      if (!thread) return fail(undefined);
      // A worker that does not start says nothing else.
      thread.addEventListener('error', fail);
      const range = new js.PDFDataRangeTransport(remote.size, null);
      range.requestDataRange = (from: number, to: number) => {
        const take = (bytes: ArrayBuffer) => (closed ? undefined : range.onDataRange(from, new Uint8Array(bytes)));
        remote.read(from, to).then(take, fail);
      };
      const task = getDocument({ ...settings(js), range } as Parameters<typeof getDocument>[0]);
      task.onPassword = (answer: (password: string) => void, reason: number) =>
        ask({ wrong: reason === js.PasswordResponses.INCORRECT_PASSWORD, answer });
      end = () => {
        // One that hangs in a file never answers that it ended.
        const late = setTimeout(() => thread.terminate(), GRACE_MS);
        const stop = () => {
          clearTimeout(late);
          thread.terminate();
        };
        task.destroy().then(stop, stop);
      };
      task.promise.then(resolve, (error: unknown) => {
        const damaged = error instanceof js.InvalidPDFException || error instanceof js.PasswordException;
        reject(damaged ? 'damaged' : 'failed');
      });
    };
    load().then(begin).catch(fail);
  });
  const close = () => {
    if (closed) return;
    closed = true;
    remote.close();
    end();
  };
  return { opened, close };
}

function settings({ VerbosityLevel }: Pick<Library, 'VerbosityLevel'>) {
  const base = new URL(__PDF_BASE__, globalThis.location.href).href;
  return {
    rangeChunkSize: CHUNK,
    disableStream: true,
    disableAutoFetch: true,
    cMapUrl: `${base}cmaps/`,
    cMapPacked: true,
    standardFontDataUrl: `${base}standard_fonts/`,
    iccUrl: `${base}iccs/`,
    wasmUrl: `${base}wasm/`,
    useWasm: false,
    useWorkerFetch: true,
    disableWorkerRendering: true,
    enableXfa: false,
    stopAtErrors: false,
    maxImageSize: MOST_IMAGE,
    canvasMaxAreaInBytes: MOST_PIXELS * 4,
    verbosity: VerbosityLevel.ERRORS,
  };
}

/** A page on a canvas of its own, as sharp as the screen. Rejects when it was cancelled. */
export function draw(
  page: PDFPageProxy,
  scale: number,
): { canvas: HTMLCanvasElement; done: Promise<void>; stop(): void } {
  const plain = page.getViewport({ scale: scale * POINT });
  const wanted = globalThis.devicePixelRatio || 1;
  const most = Math.sqrt(MOST_PIXELS / (plain.width * plain.height));
  const viewport = page.getViewport({ scale: scale * POINT * Math.min(wanted, most) });
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.floor(viewport.width));
  canvas.height = Math.max(1, Math.floor(viewport.height));
  const task = page.render({ canvas, viewport, annotationMode: loaded().AnnotationMode.ENABLE });
  return { canvas, done: task.promise, stop: () => task.cancel() };
}

/** Lays the text of a page into an element. Rejects when it was cancelled. */
export function layText(page: PDFPageProxy, container: HTMLElement) {
  const viewport = page.getViewport({ scale: 1 });
  const { TextLayer } = loaded();
  const layer = new TextLayer({ textContentSource: page.streamTextContent(), container, viewport });
  // As large as the page, without the functions of CSS that older browsers lack.
  const { pageWidth, pageHeight } = viewport.rawDims as { pageWidth: number; pageHeight: number };
  container.style.width = `calc(var(--total-scale-factor) * ${pageWidth}px)`;
  container.style.height = `calc(var(--total-scale-factor) * ${pageHeight}px)`;
  const done = layer.render().then(() => layer.textDivs as HTMLElement[]);
  return { done, stop: () => layer.cancel() };
}

/** Gives back at once what a canvas holds, which some browsers else keep for long. */
export function letGo(canvas: HTMLCanvasElement): void {
  canvas.width = 0;
  canvas.height = 0;
}

export interface PageLink {
  key: string;
  /** Part of the page, from its upper left corner, 0 to 1. */
  left: number;
  top: number;
  width: number;
  height: number;
  /** To the web or to mail; else to a place in this file. */
  url?: string;
  to?: unknown;
}

const OUTSIDE = /^(https?|mailto|tel):/i;

/** The links of a page. What leads anywhere else, or would run something, is none. */
export async function linksOf(page: PDFPageProxy): Promise<PageLink[]> {
  const plain = page.getViewport({ scale: 1 });
  const found = (await page.getAnnotations({ intent: 'display' })) as {
    id: string;
    subtype: string;
    rect: number[];
    url?: string;
    dest?: unknown;
  }[];
  return found.flatMap(({ id, subtype, rect, url, dest }) => {
    const outside = url !== undefined && OUTSIDE.test(url);
    if (subtype !== 'Link' || (!outside && !dest)) return [];
    const [a = 0, b = 0, c = 0, d = 0] = rect;
    const [x1 = 0, y1 = 0] = plain.convertToViewportPoint(a, b) as number[];
    const [x2 = 0, y2 = 0] = plain.convertToViewportPoint(c, d) as number[];
    const place = {
      left: Math.min(x1, x2) / plain.width,
      top: Math.min(y1, y2) / plain.height,
      width: Math.abs(x1 - x2) / plain.width,
      height: Math.abs(y1 - y2) / plain.height,
    };
    return [{ key: id, ...place, ...(outside ? { url } : { to: dest }) }];
  });
}

/** The page a place inside the file is on, from 0. */
export async function pageOf(file: PDFDocumentProxy, to: unknown): Promise<number | undefined> {
  try {
    const place = typeof to === 'string' ? await file.getDestination(to) : (to as unknown[]);
    const [first] = place ?? [];
    if (typeof first === 'number') return first;
    return first ? await file.getPageIndex(first as Parameters<PDFDocumentProxy['getPageIndex']>[0]) : undefined;
  } catch {
    // A link to nowhere.
    return undefined;
  }
}
