import { type KeyboardEvent, useCallback, useState } from 'react';
import type { FileBlock } from '~/api/types';
import { useT } from '~/i18n';
import { isComposing } from '~/ui/isComposing';
import type { PDFDocumentProxy } from '~/ui/pdf/engine';
import { Pages } from '~/ui/pdf/Pages';
import { useDocument } from '~/ui/pdf/useDocument';
import { usePages } from '~/ui/pdf/usePages';
import { Away, Frame, Opening, Unread } from '../parts/Frame';
import { FindBar } from './FindBar';
import { Password } from './Password';
import { ReadingBar } from './ReadingBar';
import { useFind } from './useFind';

/** A PDF file: opened by its parts, so that the first page of a large one is there before the rest. */
export function PdfView({ file, onClose }: { file: FileBlock; onClose: () => void }) {
  const [tries, setTries] = useState(0);
  const { state, away, bytes, nudge } = useDocument(file, tries);
  const close = (children: React.ReactNode) => (
    <Frame file={file} onClose={onClose}>
      {away ? <Away onRetry={nudge} /> : null}
      {children}
    </Frame>
  );
  if (state.kind === 'opening') return close(<Opening bytes={bytes} />);
  if (state.kind === 'asking') return close(<Password key={Number(state.asking.wrong)} asking={state.asking} />);
  if (state.kind === 'fault')
    return close(<Unread why={state.fault} file={file} onRetry={() => setTries(tries + 1)} />);
  return <Reading file={file} document={state.document} onClose={onClose} away={away} nudge={nudge} />;
}

function Reading({
  file,
  document,
  onClose,
  away,
  nudge,
}: {
  file: FileBlock;
  document: PDFDocumentProxy;
  onClose: () => void;
  away: boolean;
  nudge: () => void;
}) {
  const t = useT();
  const pages = usePages(document);
  const find = useFind(document, pages);
  const { scroller, step, zoomBy, setFit, goTo, current, count } = pages;
  const keys = useCallback(
    (e: KeyboardEvent): boolean => {
      const el = scroller.current;
      if (!el) return false;
      const sideways = el.scrollWidth > el.clientWidth + 1;
      if (e.key === 'PageDown' || e.key === 'PageUp')
        el.scrollBy(0, (e.key === 'PageDown' ? 0.9 : -0.9) * el.clientHeight);
      else if (e.key === 'ArrowDown' || e.key === 'ArrowUp') el.scrollBy(0, e.key === 'ArrowDown' ? 60 : -60);
      else if (e.key === 'ArrowRight' || e.key === 'ArrowLeft') {
        const by = e.key === 'ArrowRight' ? 1 : -1;
        if (sideways) el.scrollBy(by * 60, 0);
        else step(by);
      } else if (e.key === 'Home') goTo(0);
      else if (e.key === 'End') goTo(count - 1);
      else if (e.key === '+' || e.key === '=') zoomBy(1.25);
      else if (e.key === '-') zoomBy(1 / 1.25);
      else if (e.key === '0') setFit('auto');
      else return false;
      return true;
    },
    [scroller, step, zoomBy, setFit, goTo, count],
  );
  const closeFind = () => {
    find.close();
    scroller.current?.focus({ preventScroll: true });
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (isComposing(e)) return;
    if ((e.ctrlKey || e.metaKey) && !e.altKey && e.key.toLowerCase() === 'f') {
      find.open();
      e.preventDefault();
      return;
    }
    if (e.key === 'Escape' && find.shown) {
      // One thing after the other.
      e.preventDefault();
      e.stopPropagation();
      closeFind();
      return;
    }
    if (e.ctrlKey || e.metaKey || e.altKey || (e.target as Element).closest('input')) return;
    if (keys(e)) e.preventDefault();
  };
  return (
    <Frame
      file={file}
      onClose={onClose}
      onKeyDown={onKeyDown}
      foot={
        <>
          {find.shown ? <FindBar find={find} onClose={closeFind} /> : null}
          <ReadingBar
            page={current}
            count={count}
            scale={pages.layout?.scale ?? 1}
            fit={pages.fit}
            onPage={goTo}
            onZoom={zoomBy}
            onFit={setFit}
            onFind={find.open}
          />
        </>
      }
    >
      {away ? <Away onRetry={nudge} /> : null}
      <Pages
        document={document}
        pages={pages}
        found={find.found}
        words={{
          pages: t('files:read.pages'),
          page: (page) => t('files:read.page', { page }),
          failed: (page) => t('files:read.page_failed', { page }),
          inside: t('files:read.inside'),
        }}
      />
    </Frame>
  );
}
