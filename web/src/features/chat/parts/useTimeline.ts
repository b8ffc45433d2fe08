/** What of a conversation is on the page: which run of messages, as rows, and the reading of more. */
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { asAppError } from '~/api/client';
import { myId } from '~/core/store/session';
import { markRead } from '../actions';
import { loadAfter, loadAround, loadBefore, loadTail, openTimeline } from '../history';
import { services } from '../live';
import { buildRows } from '../rows';
import { lastSegment, segmentWith } from '../segments';
import { chat, setAnchor, trimTimeline } from '../store';
import type { Place } from './Timeline';

const EMPTY: never[] = [];

export function useTimeline(id: string, at: number | undefined) {
  const timeline = useStore(chat, (s) => s.timelines[id]);
  const failed = useStore(chat, (s) => s.historyFailed[id] ?? false);
  const head = useStore(chat, (s) => s.conversations[id]?.head.seq ?? 0);
  const pending = useStore(chat, (s) => s.outbox[id]) ?? EMPTY;
  const [readTo] = useState(() => unreadFrom(id));
  const [target, setTarget] = useState<{ seq: number; nth: number }>();
  /** A message of the run on the page; undefined means the end. */
  const [near, setNear] = useState<number | undefined>(() => chat.getState().anchors[id]?.seq);
  const segments = timeline?.segments ?? EMPTY;
  const segment = (near === undefined ? undefined : segmentWith(segments, near)) ?? lastSegment(segments);
  const isTail = segment !== undefined && segment === lastSegment(segments);
  const hasAfter = segment !== undefined && (!isTail || segment.to < head);
  const first = timeline?.first;
  const hasBefore = segment !== undefined && segment.from > 1 && (first === undefined || segment.from > first);

  useEffect(() => {
    openTimeline(id).catch(() => undefined);
    services()?.realtime.want({ open: [id] });
    return () => services()?.realtime.want({ open: [] });
  }, [id]);

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
  useEffect(() => {
    if (at !== undefined) void jump(at);
  }, [at, jump]);

  const rows = useMemo(
    () =>
      buildRows({
        messages: segment?.messages ?? EMPTY,
        // What is being sent stands at the end of the conversation, not of some run in its past.
        pending: hasAfter && !isTail ? EMPTY : pending,
        me: myId(),
        readTo,
      }),
    [segment?.messages, pending, hasAfter, isTail, readTo],
  );

  const onPlace = useCallback(
    ({ anchor, seen }: Place) => {
      setAnchor(id, anchor);
      setNear(anchor?.seq ?? undefined);
      if (seen === undefined) return;
      if (document.visibilityState === 'visible' && document.hasFocus()) markRead(id, seen);
      trimTimeline(id, seen);
    },
    [id],
  );
  const ignore = (e: unknown) => void asAppError(e);
  return {
    rows,
    loaded: timeline !== undefined && (rows.length > 0 || head === 0 || first !== undefined),
    failed,
    target,
    hasBefore,
    hasAfter,
    jump,
    onPlace,
    retry: () => void openTimeline(id).catch(ignore),
    onNeedBefore: () => void (segment && loadBefore(id, segment.from).catch(ignore)),
    onNeedAfter: () => void (segment && loadAfter(id, segment.to).catch(ignore)),
    onEnd: () => {
      setAnchor(id, undefined);
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

/** Up to where had been read when the conversation was opened, if anything was unread. */
function unreadFrom(id: string): number | undefined {
  const c = chat.getState().conversations[id];
  return c && c.unread > 0 ? c.cursor.read_seq : undefined;
}
