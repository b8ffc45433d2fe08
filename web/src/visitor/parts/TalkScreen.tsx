import { ArrowDown, LogOut } from 'lucide-react';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useStore } from 'zustand';
import { clockTime, dayTitle, startOfDay } from '~/i18n/format';
import { useErrorText, useLanguage, useT } from '../i18n';
import { type Kept, noteAsked, wasAsked } from '../kept';
import { earlier, isTyping, mayAttach, seen, start, stop, talk, wake } from '../talk';
import { useFiles } from '../useFiles';
import styles from '../visitor.module.css';
import { Composer } from './Composer';
import { Face } from './Face';
import { KeepIt } from './KeepIt';
import { Line, Row, Waiting } from './Row';
import { Who } from './Who';

/** How near the end counts as being there. */
const NEAR_PX = 80;

export function TalkScreen({
  code,
  kept,
  remembers,
  onLeave,
  onEnded,
}: {
  code: string;
  kept: Kept;
  remembers: boolean;
  onLeave: () => void;
  onEnded: () => void;
}) {
  const t = useT();
  const text = useErrorText();
  const state = useStore(talk, (s) => s.state);
  const error = useStore(talk, (s) => s.error);
  const post = useStore(talk, (s) => s.conversation?.can.post ?? true);
  const deserted = useStore(talk, (s) => Object.keys(s.members).length === 1);
  const typing = useStore(talk, (s) => s.typing);
  const attach = useStore(talk, mayAttach);
  const [quoted, setQuoted] = useState<number>();
  const files = useFiles();
  useEffect(() => {
    void start(kept);
    return stop;
  }, [kept]);
  useEffect(() => {
    if (state === 'ended') onEnded();
  }, [state, onEnded]);
  return (
    <div className={styles.talk}>
      <header className={styles.header}>
        <Face code={code} name={kept.look.host.name} photo={kept.look.host.photo} small />
        <div className={styles.words}>
          <h1>
            <Who look={kept.look} />
          </h1>
          <p className={styles.meta}>
            {typing ? (
              t('visitor:talk.typing')
            ) : (
              <bdi>
                {kept.look.org}
                {kept.look.group?.title ? ` · ${kept.look.group.title}` : ''}
              </bdi>
            )}
          </p>
        </div>
        <button type="button" className={styles.leave} onClick={onLeave}>
          <LogOut aria-hidden size={18} />
          {t('visitor:leave.open')}
        </button>
      </header>
      <Connection />
      {remembers ? null : <KeepIt forgets onClose={undefined} />}
      <main className={styles.main}>
        {state === 'failed' ? (
          <div className={styles.card}>
            <p role="alert">{error ? text(error) : ''}</p>
            <button type="button" className={styles.primary} onClick={() => void start(kept)}>
              {t('visitor:state.retry')}
            </button>
          </div>
        ) : state === 'loading' ? (
          <p className={styles.quiet} role="status">
            {t('visitor:state.loading')}
          </p>
        ) : (
          <Timeline code={code} kept={kept} remembers={remembers} onQuote={setQuoted} />
        )}
      </main>
      {state === 'ready' && files ? <files.Around kept={kept} attach={attach && post && !deserted} /> : null}
      {state !== 'ready' ? null : post && !deserted ? (
        <Composer code={code} kept={kept} quoted={quoted} onQuote={setQuoted} onTyping={isTyping} />
      ) : (
        <p className={styles.closed}>{t('visitor:talk.nobody')}</p>
      )}
    </div>
  );
}

/** The last words in sight: of the log, and of the page where large type makes that longer than the screen. */
function showEnd(log: HTMLElement): void {
  log.scrollTop = log.scrollHeight;
  const page = log.closest('main')?.parentElement;
  if (page) page.scrollTop = page.scrollHeight;
}

function Connection() {
  const t = useT();
  const connection = useStore(talk, (s) => s.connection);
  const ready = useStore(talk, (s) => s.state === 'ready');
  const [late, setLate] = useState(false);
  const away = ready && connection !== 'live' && connection !== 'ended';
  useEffect(() => {
    setLate(false);
    // A moment without a connection is nothing to read about.
    const timer = away ? setTimeout(() => setLate(true), 3_000) : undefined;
    return () => clearTimeout(timer);
  }, [away]);
  if (!away || !late) return null;
  return (
    <p className={styles.banner} role="status">
      {connection === 'refused'
        ? t('visitor:state.refused')
        : t(connection === 'offline' ? 'visitor:state.offline' : 'visitor:state.reconnecting')}
      {connection === 'refused' ? null : (
        <button type="button" className={styles.link} onClick={wake}>
          {t('visitor:state.retry')}
        </button>
      )}
    </p>
  );
}

function Timeline({
  code,
  kept,
  remembers,
  onQuote,
}: {
  code: string;
  kept: Kept;
  remembers: boolean;
  onQuote: (seq: number) => void;
}) {
  const t = useT();
  const language = useLanguage();
  const messages = useStore(talk, (s) => s.messages);
  const waiting = useStore(talk, (s) => s.waiting);
  const more = useStore(talk, (s) => s.more);
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const height = useRef(0);
  const first = useRef<number>(undefined);
  const [below, setBelow] = useState(false);
  const newest = messages[messages.length - 1]?.seq ?? 0;

  // At the end it stays at the end; where something came in above, what is looked at stays where it is.
  // biome-ignore lint/correctness/useExhaustiveDependencies: what waits makes it longer too
  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    const grown = el.scrollHeight - height.current;
    if (first.current !== undefined && messages[0] && messages[0].seq < first.current) el.scrollTop += grown;
    else if (atEnd.current) showEnd(el);
    else if (grown > 0) setBelow(true);
    height.current = el.scrollHeight;
    first.current = messages[0]?.seq;
  }, [messages, waiting]);

  useEffect(() => {
    const look = () => {
      if (atEnd.current && !document.hidden && newest > 0) seen(newest);
    };
    look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [newest]);

  // The keyboard takes room away from below.
  useEffect(() => {
    const fit = () => {
      if (atEnd.current && box.current) showEnd(box.current);
    };
    window.addEventListener('resize', fit);
    return () => window.removeEventListener('resize', fit);
  }, []);

  const scrolled = () => {
    const el = box.current;
    if (!el) return;
    atEnd.current = el.scrollHeight - el.scrollTop - el.clientHeight < NEAR_PX;
    if (atEnd.current) {
      setBelow(false);
      seen(newest);
    }
  };
  const toEnd = () => {
    atEnd.current = true;
    setBelow(false);
    box.current?.scrollTo({ top: box.current.scrollHeight });
    seen(newest);
  };
  const own = messages.filter((m) => m.sender.id === kept.user && m.body && !m.undone);
  const answered = messages.some((m) => m.countable && m.sender.id !== kept.user);
  const now = Date.now();
  return (
    <>
      <div
        ref={box}
        className={styles.log}
        role="log"
        aria-label={t('visitor:talk.log')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever uses the keyboard must be able to scroll it
        tabIndex={0}
        onScroll={scrolled}
      >
        {more ? (
          <button type="button" className={styles.link} onClick={() => void earlier().catch(() => undefined)}>
            {t('visitor:talk.earlier')}
          </button>
        ) : (
          <p className={styles.line}>{t('visitor:talk.beginning')}</p>
        )}
        <ol className={styles.rows}>
          {messages.map((m, i) => {
            const before = messages[i - 1];
            const day = !before || startOfDay(before.sent_at) !== startOfDay(m.sent_at);
            if (m.undone) return null;
            return (
              <li key={m.seq} data-seq={m.seq}>
                {day ? <p className={styles.line}>{dayTitle(language, m.sent_at, now)}</p> : null}
                {m.body?.kind === 'system' ? (
                  <Line message={m} kept={kept} />
                ) : (
                  <Row
                    message={m}
                    kept={kept}
                    time={clockTime(language, m.sent_at)}
                    latest={own[own.length - 1]?.seq === m.seq}
                    onQuote={() => onQuote(m.seq)}
                  />
                )}
              </li>
            );
          })}
          {waiting
            .filter((row) => !messages.some((m) => m.client_id === row.client_id))
            .map((row) => (
              <li key={row.client_id}>
                <Waiting row={row} />
              </li>
            ))}
        </ol>
        {answered && remembers ? <KeepOnce code={code} /> : null}
      </div>
      {below ? (
        <button type="button" className={styles.below} onClick={toEnd}>
          <ArrowDown aria-hidden size={16} />
          {t('visitor:talk.new')}
        </button>
      ) : null}
    </>
  );
}

/** Said once, after the first answer. */
function KeepOnce({ code }: { code: string }) {
  const [done, setDone] = useState(() => wasAsked(code));
  if (done) return null;
  const close = () => {
    setDone(true);
    noteAsked(code);
  };
  return <KeepIt forgets={false} onClose={close} />;
}
