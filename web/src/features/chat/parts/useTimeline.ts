/** What of a conversation is on the page: which run of messages, as rows, and the reading of more. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useStore } from 'zustand';
import { asAppError } from '~/api/client';
import { myId } from '~/core/store/session';
import { markRead } from '../actions';
import { loadAfter, loadAround, loadBefore, loadTail, openTimeline } from '../history';
import { services } from '../live';
import { buildRows, keepRows, type Row } from '../rows';
import { lastSegment, segmentWith } from '../segments';
import { chat, setAnchor, trimTimeline } from '../store';
import { chatUi } from '../ui';
import type { Place, Target } from './Timeline';

const EMPTY: never[] = [];
const RESTORE_MS = 1_500;

export function useTimeline(id: string, at: number | undefined) {
  const timeline = useStore(chat, (s) => s.timelines[id]);
  const failed = useStore(chat, (s) => s.historyFailed[id] ?? false);
  const head = useStore(chat, (s) => s.conversations[id]?.head.seq ?? 0);
  const pending = useStore(chat, (s) => s.outbox[id]) ?? EMPTY;
  const [unread] = useState(() => unreadFrom(id));
  const readTo = unread?.readTo;
  const [above, setAbove] = useState<number>();
  const met = useRef(unread === undefined);
  const [target, setTarget] = useState<Target>();
  /** Where a jump to a quoted message began. */
  const [from, setFrom] = useState<number>();
  /** A message of the run on the page; undefined means the end. */
  const [near, setNear] = useState<number | undefined>(() => chat.getState().anchors[id]?.seq);
  /** What was left far from the end may have been let go of since: it is read again before anything is shown. */
  const [restored, setRestored] = useState(() => near === undefined);
  const segments = timeline?.segments ?? EMPTY;
  const held = near === undefined ? undefined : segmentWith(segments, near);
  const segment = held ?? lastSegment(segments);
  const isTail = segment !== undefined && segment === lastSegment(segments);
  const hasAfter = segment !== undefined && (!isTail || segment.to < head);
  const first = timeline?.first;
  const hasBefore = segment !== undefined && segment.from > 1 && (first === undefined || segment.from > first);

  const jump = useCallback(
    async (seq: number) => {
      try {
        await loadAround(id, seq);
      } catch {
        return;
      }
      setNear(seq);
      setTarget((old) => ({ seq, nth: (old?.nth ?? 0) + 1 }));
    },
    [id],
  );
  /** From a message to the one it answers, with a way back. */
  const follow = useCallback(
    (seq: number, by: number) => {
      setFrom(by);
      void jump(seq);
    },
    [jump],
  );
  useEffect(() => {
    const anchor = chat.getState().anchors[id];
    openTimeline(id).catch(() => undefined);
    if (anchor) {
      // A slow server must not hold back what there is to see.
      const patience = setTimeout(() => setRestored(true), RESTORE_MS);
      loadAround(id, anchor.seq)
        .catch(() => undefined)
        .finally(() => {
          clearTimeout(patience);
          setRestored(true);
        });
    }
    services()?.realtime.want({ open: [id] });
    return () => services()?.realtime.want({ open: [] });
  }, [id]);

  useEffect(() => {
    if (at !== undefined) void jump(at);
  }, [at, jump]);
  const asked = useStore(chatUi, (s) => s.jump);
  useEffect(() => {
    if (!asked) return;
    // Once: drawn again, the timeline stays where its reader has gone since.
    chatUi.setState({ jump: undefined });
    void jump(asked.seq);
  }, [asked, jump]);
  const lit = useLit(target);

  const drawn = useRef<Row[]>(EMPTY);
  const rows = useMemo(() => {
    const now = buildRows({
      messages: segment?.messages ?? EMPTY,
      // What is being sent stands at the end of the conversation, not of some run in its past.
      pending: hasAfter && !isTail ? EMPTY : pending,
      me: myId(),
      readTo,
    });
    drawn.current = keepRows(drawn.current, now);
    return drawn.current;
  }, [segment?.messages, pending, hasAfter, isTail, readTo]);

  const onPlace = useCallback(
    ({ anchor, seen, top }: Place) => {
      if (unread && top !== undefined && !met.current) {
        if (top <= unread.readTo + 1) met.current = true;
        setAbove(met.current ? undefined : unread.count);
      }
      setAnchor(id, anchor);
      setNear(anchor?.seq ?? undefined);
      if (seen === undefined) return;
      if (document.visibilityState === 'visible' && document.hasFocus()) markRead(id, seen);
      trimTimeline(id, seen);
    },
    [id, unread],
  );
  const ignore = (e: unknown) => void asAppError(e);
  return {
    rows,
    loaded:
      (restored || held !== undefined) &&
      timeline !== undefined &&
      (rows.length > 0 || head === 0 || first !== undefined),
    failed,
    target,
    lit,
    hasBefore,
    hasAfter,
    jump,
    follow,
    above,
    onUnread: () => {
      met.current = true;
      setAbove(undefined);
      if (unread) void jump(unread.readTo + 1);
    },
    onBack:
      from === undefined
        ? undefined
        : () => {
            setFrom(undefined);
            void jump(from);
          },
    onPlace,
    retry: () => void openTimeline(id).catch(ignore),
    onNeedBefore: () => void (segment && loadBefore(id, segment.from).catch(ignore)),
    onNeedAfter: () => void (segment && loadAfter(id, segment.to).catch(ignore)),
    onEnd: () => {
      setAnchor(id, undefined);
      setFrom(undefined);
      void loadTail(id)
        .then(() => {
          const last = lastSegment(chat.getState().timelines[id]?.segments ?? []);
          setNear(undefined);
          if (last) setTarget((old) => ({ seq: last.to, nth: (old?.nth ?? 0) + 1 }));
        })
        .catch(ignore);
    },
  };
}

const LIT_MS = 2_400;

/** The message just jumped to, for as long as the eye needs to find it. */
function useLit(target: Target | undefined): number | undefined {
  const [lit, setLit] = useState<number>();
  useEffect(() => {
    if (!target) return;
    setLit(target.seq);
    const timer = setTimeout(() => setLit(undefined), LIT_MS);
    return () => clearTimeout(timer);
  }, [target]);
  return lit;
}

/** Up to where had been read when the conversation was opened, if anything was unread, and how much. */
function unreadFrom(id: string): { readTo: number; count: number } | undefined {
  const c = chat.getState().conversations[id];
  return c && c.unread > 0 ? { readTo: c.cursor.read_seq, count: c.unread } : undefined;
}
