import {
  type FocusEvent,
  type KeyboardEvent,
  lazy,
  type ReactElement,
  Suspense,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { type CacheSnapshot, Virtualizer, type VirtualizerHandle } from 'virtua';
import { isComposing } from '~/ui/isComposing';
import type { Row } from '../rows';
import type { Anchor } from '../store';
import styles from './Timeline.module.css';

const Pills = lazy(() => import('./seldom').then((m) => ({ default: m.Pills })));

export interface Place {
  /** The first row in sight; undefined at the end of the conversation. */
  anchor: Anchor | undefined;
  /** The first and the newest message in sight. */
  top: number | undefined;
  seen: number | undefined;
}

export interface Target {
  seq: number;
  nth: number;
}

export interface TimelineProps {
  /** Whose rows these are: what was measured of them is remembered by it. */
  id: string;
  rows: Row[];
  label: string;
  /** Where to begin: at the end, where it was left, or at the first unread. */
  start: { at: 'end' } | { at: 'unread' } | { at: 'anchor'; anchor: Anchor };
  /** A message to bring into sight; `nth` tells two jumps to the same one apart. */
  target: Target | undefined;
  hasBefore: boolean;
  hasAfter: boolean;
  onNeedBefore: () => void;
  onNeedAfter: () => void;
  onPlace: (place: Place) => void;
  onEnd: () => void;
  /** Messages below that were not read. */
  below: number;
  /** How many unread messages begin above what is in sight, and the way there. */
  above: number | undefined;
  onUnread: () => void;
  /** Back to where a jump to a quoted message began. */
  onBack: (() => void) | undefined;
  children: (row: Row) => ReactElement;
}

/** How close to an edge more is read. */
const NEAR_PX = 800;
const STUCK_PX = 32;

/** Whether rows were put before, or taken from, the start: only then must the list hold its place from the end. */
export function startMoved(before: readonly Row[], now: readonly Row[]): boolean {
  const oldFirst = before[0]?.key;
  const newFirst = now[0]?.key;
  if (!oldFirst || !newFirst || oldFirst === newFirst) return false;
  return now.some((r) => r.key === oldFirst) || before.some((r) => r.key === newFirst);
}

/**
 * How high the rows were when a conversation was left. With it, going back draws the rows in sight and no others; what
 * is another height by now is measured again as it comes into sight.
 */
const measured = new Map<string, { first: string; count: number; sizes: CacheSnapshot }>();
const MOST_MEASURED = 20;

function remember(id: string, rows: readonly Row[], list: VirtualizerHandle): void {
  measured.delete(id);
  const first = rows[0]?.key;
  if (first === undefined) return;
  measured.set(id, { first, count: rows.length, sizes: list.cache });
  const [oldest] = measured.keys();
  if (measured.size > MOST_MEASURED && oldest !== undefined) measured.delete(oldest);
}

/** Only where the rows begin as they did: further ones may have come at their end. */
function recall(id: string, rows: readonly Row[]): CacheSnapshot | undefined {
  const known = measured.get(id);
  return known && known.first === rows[0]?.key && known.count <= rows.length ? known.sizes : undefined;
}

/** The virtualised run of messages. The only file that knows which library does it. */
export function Timeline(props: TimelineProps) {
  const { id, rows, start, target, hasAfter } = props;
  const [sizes] = useState(() => recall(id, rows));
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const end = useRef<HTMLSpanElement>(null);
  const previous = useRef<readonly Row[]>(rows);
  const stuck = useRef(start.at === 'end');
  const [atEnd, setAtEnd] = useState(start.at === 'end');
  const shift = previous.current !== rows && startMoved(previous.current, rows);
  const latest = useRef(props);
  latest.current = props;

  const toEnd = useCallback(() => {
    const { rows } = latest.current;
    if (rows.length > 0) list.current?.scrollToIndex(rows.length - 1, { align: 'end' });
  }, []);

  const frame = useRef(0);
  const report = useCallback(() => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => {
      const handle = list.current;
      const p = latest.current;
      if (!handle || handle.viewportSize === 0 || p.rows.length === 0) return;
      const top = handle.scrollOffset;
      const left = handle.scrollSize - top - handle.viewportSize;
      stuck.current = left < STUCK_PX && !p.hasAfter;
      setAtEnd(stuck.current);
      const first = handle.findItemIndex(top);
      const last = handle.findItemIndex(top + handle.viewportSize - 8);
      p.onPlace({
        anchor: stuck.current ? undefined : anchorAt(p.rows, first, top - handle.getItemOffset(first)),
        top: p.rows[first]?.seq,
        seen: lastSeq(p.rows, last),
      });
      if (top < NEAR_PX && p.hasBefore) p.onNeedBefore();
      if (left < NEAR_PX && p.hasAfter) p.onNeedAfter();
    });
  }, []);

  useLayoutEffect(() => {
    const handle = list.current;
    begin(latest.current, handle);
    report();
    return () => {
      cancelAnimationFrame(frame.current);
      if (handle) remember(latest.current.id, latest.current.rows, handle);
    };
  }, [report]);

  useLayoutEffect(() => {
    const before = previous.current;
    previous.current = rows;
    const last = rows[rows.length - 1];
    const mineIsNew = last?.pending && before[before.length - 1]?.key !== last.key;
    if (mineIsNew && !hasAfter) stuck.current = true;
    if (stuck.current && before !== rows) toEnd();
    report();
  }, [rows, hasAfter, toEnd, report]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: jumps once per target, whatever the rows become later
  useLayoutEffect(() => {
    if (!target) return;
    const index = rows.findIndex((r) => r.seq === target.seq);
    if (index < 0) return;
    stuck.current = false;
    list.current?.scrollToIndex(index, { align: 'center' });
    report();
  }, [target]);

  useEffect(() => {
    const again = () => report();
    window.addEventListener('focus', again);
    document.addEventListener('visibilitychange', again);
    return () => {
      window.removeEventListener('focus', again);
      document.removeEventListener('visibilitychange', again);
    };
  }, [report]);

  const away = !atEnd || hasAfter;
  const resized = useCallback(() => {
    if (stuck.current) toEnd();
    report();
  }, [toEnd, report]);

  return (
    <div className={styles.frame}>
      <div
        ref={scroller}
        className={styles.scroller}
        role="log"
        aria-live="off"
        aria-label={props.label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        onKeyDown={(e) => {
          moveFocus(e);
          leaveByTab(e, end.current);
        }}
      >
        <div className={styles.spacer} />
        <Virtualizer
          ref={list}
          data={rows}
          shift={shift}
          scrollRef={scroller}
          onScroll={report}
          onResize={resized}
          {...(sizes ? { cache: sizes } : {})}
        >
          {(row: Row) => props.children(row)}
        </Virtualizer>
        {/* biome-ignore lint/a11y/noStaticElementInteractions: a stop on the way, nothing to press */}
        <span
          ref={end}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: who comes from below stops here first, and is sent to the run
          tabIndex={0}
          onFocus={(e) => fromOutside(e) && scroller.current?.focus({ preventScroll: true })}
        />
      </div>
      {away || props.above || props.onBack ? (
        <Suspense>
          <Pills {...props} away={away} toEnd={toEnd} />
        </Suspense>
      ) : null}
    </div>
  );
}

function begin({ rows, start }: TimelineProps, list: VirtualizerHandle | null): void {
  if (start.at === 'anchor') {
    const index = rows.findIndex((r) => r.seq !== undefined && r.seq >= start.anchor.seq);
    if (index >= 0) return list?.scrollToIndex(index, { align: 'start', offset: start.anchor.px });
  }
  if (start.at === 'unread') {
    const index = rows.findIndex((r) => r.firstUnread);
    if (index >= 0) return list?.scrollToIndex(index, { align: 'start', offset: -48 });
  }
  if (rows.length > 0) list?.scrollToIndex(rows.length - 1, { align: 'end' });
}

function anchorAt(rows: readonly Row[], index: number, px: number): Anchor | undefined {
  const seq = rows[index]?.seq;
  return seq === undefined ? undefined : { seq, px };
}

function lastSeq(rows: readonly Row[], from: number): number | undefined {
  for (let i = Math.min(from, rows.length - 1); i >= 0; i--) {
    const seq = rows[i]?.seq;
    if (seq !== undefined) return seq;
  }
  return undefined;
}

/** ↑ and ↓ move from message to message. */
function moveFocus(event: KeyboardEvent<HTMLDivElement>): void {
  if (isComposing(event) || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
  const articles = Array.from(event.currentTarget.querySelectorAll<HTMLElement>('article'));
  const at = articles.indexOf(document.activeElement as HTMLElement);
  if (at < 0 && document.activeElement !== event.currentTarget) return;
  const next = at < 0 ? articles.length - 1 : at + (event.key === 'ArrowUp' ? -1 : 1);
  const article = articles[next];
  if (!article) return;
  event.preventDefault();
  article.focus({ preventScroll: false });
}

/** Going back by Shift+Tab, the run is one step too. */
function fromOutside({ currentTarget, relatedTarget }: FocusEvent<HTMLElement>): boolean {
  return relatedTarget instanceof Node && !currentTarget.parentElement?.contains(relatedTarget);
}

const STOPS = 'a[href],button:not([disabled]),input:not([disabled]),[tabindex="0"]';

/**
 * Tab goes through what can be pressed in the message that has the focus, and otherwise past the whole run in one step,
 * however many pictures, links and reactions stand in it. The step itself is the browser's: only where it begins is
 * moved, to the end of the run or to its beginning.
 */
function leaveByTab(event: KeyboardEvent<HTMLDivElement>, end: HTMLElement | null): void {
  if (event.key !== 'Tab' || event.altKey || event.ctrlKey || event.metaKey) return;
  const log = event.currentTarget;
  const article = (event.target as HTMLElement).closest<HTMLElement>('article');
  const stops = article
    ? Array.from(article.querySelectorAll<HTMLElement>(STOPS)).filter((el) => el.tabIndex >= 0)
    : [];
  const at = stops.indexOf(event.target as HTMLElement);
  if (!event.shiftKey && at === stops.length - 1) end?.focus({ preventScroll: true });
  if (!event.shiftKey || !article) return;
  if (at < 0) log.focus({ preventScroll: true });
  if (at !== 0) return;
  event.preventDefault();
  article.focus({ preventScroll: true });
}
