import { Paperclip, SendHorizontal, X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from 'react';
import { useStore } from 'zustand';
import { useT } from '../i18n';
import { type Kept, keepDraft, readDraft } from '../kept';
import { mayAttach, say, talk } from '../talk';
import { isComing, tray } from '../tray';
import { filesHeld, useFiles } from '../useFiles';
import styles from '../visitor.module.css';

const MOST_CHARS = 10_000;
const TYPING_EVERY_MS = 3_000;

/** Writes, and takes files along. What is typed is kept on the device until it is sent. */
export function Composer({
  code,
  kept,
  quoted,
  onQuote,
  onTyping,
}: {
  code: string;
  kept: Kept;
  quoted: number | undefined;
  onQuote: (seq: number | undefined) => void;
  onTyping: () => void;
}) {
  const t = useT();
  const files = useFiles();
  const attach = useStore(talk, mayAttach);
  const held = useStore(tray);
  const { chips, ready, armed } = held;
  const coming = isComing(held);
  const [choosing, setChoosing] = useState(false);
  const [text, setText] = useState(() => readDraft(code));
  const area = useRef<HTMLTextAreaElement>(null);
  const clip = useRef<HTMLButtonElement>(null);
  const told = useRef(0);
  const going = useRef(false);
  const sender = useStore(talk, (s) => s.messages.find((m) => m.seq === quoted)?.sender.id);
  const name = useStore(talk, (s) => (sender ? s.members[sender]?.name : undefined));
  useLayoutEffect(() => {
    const el = area.current;
    if (!el) return;
    el.style.height = 'auto';
    el.style.height = `${Math.min(el.scrollHeight, 160)}px`;
  });
  useEffect(() => {
    if (quoted) area.current?.focus();
  }, [quoted]);
  const rewriting = useStore(talk, (s) => s.rewriting);
  // What stands here already is not written over.
  useEffect(() => {
    if (!rewriting) return;
    talk.setState({ rewriting: undefined });
    setText((held) => {
      const next = [held, rewriting].filter(Boolean).join('\n');
      keepDraft(code, next);
      return next;
    });
    area.current?.focus();
  }, [rewriting, code]);
  const change = (value: string) => {
    setText(value);
    keepDraft(code, value);
    if (value && Date.now() - told.current > TYPING_EVERY_MS) {
      told.current = Date.now();
      onTyping();
    }
  };
  const carries = coming || ready.length > 0;
  const go = async () => {
    const words = text.trim();
    tray.setState({ armed: false });
    // A second press before the first is kept would say it twice.
    if (going.current || (!words && ready.length === 0)) return;
    going.current = true;
    const done = await say(words, ready, quoted).finally(() => {
      going.current = false;
    });
    if (!done) return;
    tray.setState(({ ready: now }) => ({
      ready: now.filter((b) => !ready.includes(b)),
      refused: [],
      traced: [],
      stuck: false,
    }));
    if (ready.length > 0) filesHeld()?.sent(ready);
    // A device that is busy with large files takes its time: what was typed meanwhile belongs to the next one.
    const now = area.current?.value ?? '';
    change(now.startsWith(text) ? now.slice(text.length) : now);
    onQuote(undefined);
    area.current?.focus();
  };
  // What is on its way takes the words along when it is there; a second press lets go of that.
  const send = async () => {
    setChoosing(false);
    if (armed) return tray.setState({ armed: false });
    if (!coming) return go();
    const stuck = chips.some((c) => c.state === 'failed' || c.state === 'paused');
    tray.setState(stuck ? { stuck } : { armed: true });
  };
  // The key that had the focus is gone.
  const chosen = () => {
    setChoosing(false);
    clip.current?.focus({ preventScroll: true });
  };
  const due = useEffectEvent(go);
  useEffect(() => {
    if (armed && !coming) void due();
  }, [armed, coming]);
  const key = (event: KeyboardEvent) => {
    const phone = window.matchMedia('(pointer: coarse)').matches;
    // While an input method composes, Enter chooses a word; on a phone it is a new line.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing || phone) return;
    event.preventDefault();
    void send();
  };
  return (
    <form
      className={styles.composer}
      aria-label={t('visitor:talk.write')}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {quoted ? (
        <p className={styles.quoting}>
          <span>{t('visitor:talk.quoting', { who: sender === kept.user ? t('visitor:talk.me') : (name ?? '') })}</span>
          <button
            type="button"
            className={styles.icon}
            aria-label={t('visitor:talk.quote_cancel')}
            onClick={() => onQuote(undefined)}
          >
            <X aria-hidden size={18} />
          </button>
        </p>
      ) : null}
      {files ? <files.Tray /> : null}
      {choosing && attach && files ? <files.Choices kept={kept} onClose={chosen} /> : null}
      <div className={styles.writing}>
        {attach ? (
          <button
            ref={clip}
            type="button"
            className={styles.attach}
            aria-label={t('visitor:talk.attach')}
            aria-expanded={choosing}
            onClick={() => setChoosing(!choosing)}
          >
            <Paperclip aria-hidden size={20} />
          </button>
        ) : null}
        <textarea
          ref={area}
          className={styles.area}
          rows={1}
          value={text}
          maxLength={MOST_CHARS}
          readOnly={armed}
          aria-label={t('visitor:talk.write')}
          placeholder={t('visitor:talk.write')}
          onChange={(event) => change(event.target.value)}
          onKeyDown={key}
        />
        <button
          type="submit"
          className={styles.send}
          aria-label={t(armed ? 'visitor:talk.cancel' : 'visitor:talk.send')}
          aria-disabled={!text.trim() && !carries}
        >
          {armed ? <X aria-hidden size={20} /> : <SendHorizontal aria-hidden size={20} />}
        </button>
      </div>
    </form>
  );
}
