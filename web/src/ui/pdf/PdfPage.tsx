import { type RefObject, useEffect, useRef, useState } from 'react';
import {
  draw,
  layText,
  letGo,
  linksOf,
  type PageLink,
  type PDFDocumentProxy,
  type PDFPageProxy,
  POINT,
  pageOf,
} from './engine';
import type { Found, Match } from './find';
import type { Size } from './layout';
import styles from './pdf.module.css';
import type { PagesHandle } from './usePages';

/** Both pages that show files say these in their own way. */
export interface PageWords {
  pages: string;
  page(number: number): string;
  failed(number: number): string;
  /** A link to another place of the file. */
  inside: string;
}

/** One page: its picture, its text over it to be selected, its links. All of it is given back when it is far away. */
export function PdfPage({
  document,
  number,
  left,
  top,
  size,
  scale,
  drawn,
  found,
  pages,
  words,
}: {
  document: PDFDocumentProxy;
  /** From 0. */
  number: number;
  left: number;
  top: number;
  size: Size;
  scale: number;
  /** The scale it is drawn for. */
  drawn: number;
  found: Found | undefined;
  pages: PagesHandle;
  words: PageWords;
}) {
  const page = usePage(document, number, pages);
  const [host, there, failed] = usePicture(page, drawn);
  const [text, pieces] = useText(page);
  const links = useLinks(page);
  const marks = useMarks(text, pieces, found, pages);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a page is no set of fields
    <div
      role="group"
      className={styles.page}
      style={{ left, top, ...size, ['--total-scale-factor' as string]: scale * POINT }}
      aria-label={words.page(number + 1)}
      aria-busy={!there && !failed}
      data-page={number + 1}
      data-drawn={there || undefined}
    >
      <div ref={host} className={styles.picture} aria-hidden />
      {failed || page === 'failed' ? <p className={styles.broken}>{words.failed(number + 1)}</p> : null}
      {marks.map((m, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: marks have no other name and do not move
        <span key={i} className={m.now ? styles.markNow : styles.mark} style={m.style} aria-hidden />
      ))}
      <div ref={text} className={styles.text} />
      {links.map((link) => (
        <Link key={link.key} link={link} document={document} pages={pages} inside={words.inside} />
      ))}
    </div>
  );
}

function usePage(
  document: PDFDocumentProxy,
  number: number,
  { sized }: PagesHandle,
): PDFPageProxy | 'failed' | undefined {
  const [page, setPage] = useState<PDFPageProxy | 'failed'>();
  useEffect(() => {
    let gone = false;
    let mine: PDFPageProxy | undefined;
    document.getPage(number + 1).then(
      (made) => {
        mine = made;
        if (gone) return void made.cleanup();
        const { width, height } = made.getViewport({ scale: POINT });
        sized(number, { width, height });
        setPage(made);
      },
      () => (gone ? undefined : setPage('failed')),
    );
    return () => {
      gone = true;
      // Drawing has been stopped by then; what the page has read is forgotten.
      setTimeout(() => mine?.cleanup(), 0);
    };
  }, [document, number, sized]);
  return page;
}

type Loaded = PDFPageProxy | 'failed' | undefined;

/** The older picture stands until the sharper one is there. */
function usePicture(page: Loaded, scale: number): [RefObject<HTMLDivElement | null>, boolean, boolean] {
  const host = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<'there' | 'failed'>();
  useEffect(() => {
    if (!page || page === 'failed') return;
    let stopped = false;
    const { canvas, done, stop } = draw(page, scale);
    done.then(
      () => {
        if (stopped) return letGo(canvas);
        const old = host.current?.querySelector('canvas');
        host.current?.replaceChildren(canvas);
        if (old) letGo(old);
        setState('there');
      },
      () => {
        letGo(canvas);
        if (!stopped) setState('failed');
      },
    );
    return () => {
      stopped = true;
      stop();
    };
  }, [page, scale]);
  useEffect(() => {
    const { current } = host;
    return () => {
      for (const canvas of current?.querySelectorAll('canvas') ?? []) letGo(canvas);
    };
  }, []);
  return [host, state === 'there', state === 'failed'];
}

function useText(page: Loaded): [RefObject<HTMLDivElement | null>, readonly HTMLElement[]] {
  const host = useRef<HTMLDivElement>(null);
  const [pieces, setPieces] = useState<readonly HTMLElement[]>([]);
  useEffect(() => {
    const { current: container } = host;
    if (!page || page === 'failed' || !container) return;
    const { done, stop } = layText(page, container);
    done.then(
      (made) => {
        const end = globalThis.document.createElement('div');
        end.className = styles.end ?? '';
        container.append(end);
        setPieces(made);
      },
      // A page without its text can still be seen.
      () => undefined,
    );
    return () => {
      stop();
      container.replaceChildren();
      setPieces([]);
    };
  }, [page]);
  return [host, pieces];
}

function useLinks(page: Loaded): readonly PageLink[] {
  const [links, setLinks] = useState<readonly PageLink[]>([]);
  useEffect(() => {
    if (!page || page === 'failed') return;
    let gone = false;
    linksOf(page).then(
      (found) => (gone ? undefined : setLinks(found)),
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [page]);
  return links;
}

function Link({
  link,
  document,
  pages,
  inside,
}: {
  link: PageLink;
  document: PDFDocumentProxy;
  pages: PagesHandle;
  inside: string;
}) {
  const part = (n: number) => `${n * 100}%`;
  const place = { left: part(link.left), top: part(link.top), width: part(link.width), height: part(link.height) };
  if (link.url !== undefined) {
    return (
      <a
        className={styles.link}
        style={place}
        href={link.url}
        title={link.url}
        target="_blank"
        rel="noopener noreferrer nofollow"
      >
        <span className="visually-hidden">{link.url}</span>
      </a>
    );
  }
  const go = async () => {
    const page = await pageOf(document, link.to);
    if (page !== undefined) pages.goTo(page);
  };
  return <button type="button" className={styles.link} style={place} aria-label={inside} onClick={() => void go()} />;
}

interface Mark {
  now: boolean;
  style: { left: string; top: string; width: string; height: string };
}

/** What came into view already: a page that is scrolled away and back does not take the view to its match again. */
const brought = new WeakSet<Found>();

/** Fields behind the words that were found; the one that is looked at comes into view. */
function useMarks(
  host: RefObject<HTMLDivElement | null>,
  pieces: readonly HTMLElement[],
  found: Found | undefined,
  { goTo }: PagesHandle,
): readonly Mark[] {
  const [marks, setMarks] = useState<readonly Mark[]>([]);
  useEffect(() => {
    const page = host.current?.parentElement?.getBoundingClientRect();
    if (!found || !page || pieces.length === 0) return setMarks([]);
    const made = found.matches.flatMap((match, i) =>
      boxesOf(pieces, match).map((box) => ({
        now: i === found.index,
        top: (box.top - page.top) / page.height,
        style: {
          left: `${((box.left - page.left) / page.width) * 100}%`,
          top: `${((box.top - page.top) / page.height) * 100}%`,
          width: `${(box.width / page.width) * 100}%`,
          height: `${(box.height / page.height) * 100}%`,
        },
      })),
    );
    setMarks(made);
    const first = made.find((m) => m.now);
    if (!first || brought.has(found)) return;
    brought.add(found);
    goTo(found.page, Math.max(0.001, first.top));
  }, [host, pieces, found, goTo]);
  return marks;
}

function boxesOf(pieces: readonly HTMLElement[], { from, to }: Match): DOMRect[] {
  const boxes: DOMRect[] = [];
  for (let i = from.item; i <= to.item; i += 1) {
    const node = pieces[i]?.firstChild;
    if (!node) continue;
    const length = node.textContent?.length ?? 0;
    const range = node.ownerDocument?.createRange();
    range?.setStart(node, i === from.item ? Math.min(from.at, length) : 0);
    range?.setEnd(node, i === to.item ? Math.min(to.at, length) : length);
    boxes.push(...Array.from(range?.getClientRects() ?? []));
  }
  return boxes;
}
