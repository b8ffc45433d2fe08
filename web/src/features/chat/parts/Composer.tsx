import { AtSign, ClipboardCheck, Paperclip, SendHorizontal, Smile, X } from 'lucide-react';
import {
  type KeyboardEvent,
  lazy,
  type ReactNode,
  type RefObject,
  Suspense,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { useStore } from 'zustand';
import { asAppError } from '~/api/client';
import { now } from '~/core/clock';
import { settings } from '~/core/settings';
import { useErrorText, useLocale, useT } from '~/i18n';
import { clockTime, dayTitle } from '~/i18n/format';
import { IconButton } from '~/ui/Button';
import { cx } from '~/ui/cx';
import { isComposing } from '~/ui/isComposing';
import { toast } from '~/ui/Toast';
import { useLayout } from '~/ui/useLayout';
import type { HeldConversation } from '../events';
import { services } from '../live';
import { chat } from '../store';
import { chatUi, isComing } from '../ui';
import { canUndo, undo } from '../undo';
import styles from './Composer.module.css';
import { takePasted } from './dropped';
import { useComposer } from './useComposer';
import { type Candidate, useMentions } from './useMentions';
import { useOutside } from './useOutside';

const UndoPill = lazy(() => import('./seldom').then((m) => ({ default: m.UndoPill })));
const OtherDraft = lazy(() => import('./seldom').then((m) => ({ default: m.OtherDraft })));
const AttachButton = lazy(() => import('./attaching').then((m) => ({ default: m.AttachButton })));
const AttachTray = lazy(() => import('./attaching').then((m) => ({ default: m.AttachTray })));
const Above = lazy(() => import('./seldom').then((m) => ({ default: m.Above })));
const MentionList = lazy(() => import('./seldom').then((m) => ({ default: m.MentionList })));
const EmojiButton = lazy(() => import('./EmojiButton').then((m) => ({ default: m.EmojiButton })));

const MAX_CHARS = 10_000;
const TYPING_EVERY_MS = 3_000;

export function Composer({ conversation: c, title }: { conversation: HeldConversation; title: string }) {
  const t = useT();
  const area = useRef<HTMLTextAreaElement>(null);
  const listId = useId();
  const composer = useComposer(c.id);
  const { draft } = composer;
  const undoable = useStore(chat, (s) => s.sent?.conversation === c.id);
  const [caret, setCaret] = useState(0);
  const mentions = useMentions(c.id, draft.text, caret);
  const errorText = useErrorText();
  const enterSends = useStore(settings, (s) => s.enterSends);
  const outside = useOutside(c, title);
  const typed = useTyping(c.id);
  const tray = useStore(chatUi, (s) => s.trays[c.id]);
  const coming = !composer.editing && isComing(tray);
  const armed = coming && tray?.armed === true;
  const attached = coming || (draft.files?.length ?? 0) > 0;
  const full = attached || draft.text.trim() !== '';
  // Beside five keys a phone leaves room for six letters. Once wide it stays so: no key may move under a finger.
  const phone = useLayout() === 'phone';
  const [writing, setWriting] = useState(false);
  const wide = phone && (writing || draft.text !== '' || cramped());
  useFocus(area);
  useHeight(area, draft.text, wide);

  const put = (text: string, at: number, picks = draft.picks) => {
    composer.change({ ...draft, text, picks });
    setCaret(at);
    requestAnimationFrame(() => area.current?.setSelectionRange(at, at));
  };
  const pick = (candidate: Candidate) => {
    const before = draft.text.slice(0, mentions.start);
    const inserted = `@${candidate.name} `;
    const picks = draft.picks.some((p) => p.user === candidate.user)
      ? draft.picks
      : [...draft.picks, { user: candidate.user, name: candidate.name }];
    put(before + inserted + draft.text.slice(caret), before.length + inserted.length, picks);
    area.current?.focus();
  };
  const submit = async () => {
    await composer.submit();
    setCaret(0);
    area.current?.focus();
  };
  const onKeyDown = (e: KeyboardEvent<HTMLTextAreaElement>) => {
    if (isComposing(e)) return;
    if (mentions.open && mentionKey(e, mentions, pick)) return e.preventDefault();
    if (e.key === 'Enter' && e.altKey && !composer.editing) {
      e.preventDefault();
      composer.replyLast();
    } else if (e.key === 'Enter' && sends(e, enterSends)) {
      e.preventDefault();
      void submit();
    } else if (e.key === 'z' && (e.ctrlKey || e.metaKey) && !e.shiftKey && draft.text === '' && canUndo(c.id)) {
      e.preventDefault();
      void undo().catch((error) => toast(errorText(asAppError(error))));
    } else if (e.key === 'Escape' && composer.cancel()) {
      e.preventDefault();
    } else if (e.key === 'ArrowUp' && draft.text === '' && composer.editLast()) {
      e.preventDefault();
    }
  };
  const insert = (piece: string) => {
    const el = area.current;
    const from = el?.selectionStart ?? draft.text.length;
    const to = el?.selectionEnd ?? from;
    put(draft.text.slice(0, from) + piece + draft.text.slice(to), from + piece.length);
    el?.focus();
  };
  if (!c.can.post) return <p className={styles.closed}>{t('chat:composer.closed')}</p>;
  const group = c.kind === 'group' || c.kind === 'all_staff';
  return (
    <div className={styles.composer} data-outside={outside !== undefined || undefined}>
      {draft.other && !composer.editing ? (
        <Suspense>
          <OtherDraft conversation={c.id} other={draft.other} />
        </Suspense>
      ) : null}
      {composer.editing || draft.reply_to !== undefined ? (
        <Suspense>
          <Above conversation={c.id} composer={composer} />
        </Suspense>
      ) : null}
      {draft.ack && !composer.editing ? <p className={styles.hint}>{t('chat:ack.asking')}</p> : null}
      {c.resting_until && c.resting_until > now() ? <Resting until={c.resting_until} /> : null}
      {outside === undefined ? null : <p className={styles.outside}>{t('chat:composer.outside', { who: outside })}</p>}
      {attached || (tray?.refused.length && !composer.editing) ? (
        <Suspense>
          <AttachTray conversation={c.id} draft={draft} editing={composer.editing} onChange={composer.change} />
        </Suspense>
      ) : null}
      <div className={cx(styles.box, wide && styles.wide)}>
        {mentions.open ? (
          <Suspense>
            <MentionList id={listId} candidates={mentions.candidates} index={mentions.index} onPick={pick} />
          </Suspense>
        ) : null}
        <textarea
          ref={area}
          className={styles.area}
          rows={1}
          value={draft.text}
          maxLength={MAX_CHARS}
          readOnly={armed}
          placeholder={t('chat:composer.placeholder', { title })}
          aria-label={t('chat:composer.label')}
          aria-controls={mentions.open ? listId : undefined}
          aria-activedescendant={mentions.open ? `${listId}-${mentions.index}` : undefined}
          data-conversation={c.id}
          data-testid="composer"
          enterKeyHint={enterSends ? 'send' : 'enter'}
          onChange={(e) => {
            composer.change({ ...draft, text: e.target.value });
            setCaret(e.target.selectionStart);
            typed();
          }}
          onFocus={() => setWriting(true)}
          onSelect={(e) => setCaret(e.currentTarget.selectionStart)}
          onKeyDown={onKeyDown}
          onPaste={(e) => {
            if (composer.editing || !takePasted(c.id, e.clipboardData)) return;
            e.preventDefault();
          }}
        />
        {undoable ? (
          <Suspense>
            <UndoPill />
          </Suspense>
        ) : null}
        {composer.editing ? null : (
          <Opener label={t('chat:composer.attach')} icon={<Paperclip aria-hidden />}>
            {(open, onOpen) => <AttachButton conversation={c.id} open={open} onOpen={onOpen} />}
          </Opener>
        )}
        <Opener label={t('chat:composer.emoji')} icon={<Smile aria-hidden />}>
          {(open, onOpen) => (
            <EmojiButton
              open={open}
              onOpen={onOpen}
              onPick={(emoji) => {
                onOpen(false);
                insert(emoji);
              }}
            />
          )}
        </Opener>
        {c.can.ask_ack && !composer.editing ? (
          <IconButton
            label={t('chat:ack.ask')}
            active={draft.ack ?? false}
            onPress={() => composer.change({ ...draft, ack: !draft.ack })}
          >
            <ClipboardCheck aria-hidden />
          </IconButton>
        ) : null}
        {group ? (
          <IconButton label={t('chat:composer.mention')} onPress={() => insert('@')}>
            <AtSign aria-hidden />
          </IconButton>
        ) : null}
        {wide ? <span className={styles.gap} /> : null}
        <IconButton
          label={composer.editing ? t('common:save') : armed ? t('common:cancel') : t('chat:composer.send')}
          active={full}
          isDisabled={!full}
          onPress={() => void submit()}
        >
          {armed ? <X aria-hidden /> : <SendHorizontal aria-hidden />}
        </IconButton>
      </div>
    </div>
  );
}

/** A plain button until it is first pressed; then what it opens is fetched, and opens. */
function Opener({
  label,
  icon,
  children,
}: {
  label: string;
  icon: ReactNode;
  children: (open: boolean, onOpen: (open: boolean) => void) => ReactNode;
}) {
  const [open, setOpen] = useState<boolean>();
  const plain = (
    <IconButton label={label} onPress={() => setOpen(true)}>
      {icon}
    </IconButton>
  );
  return open === undefined ? plain : <Suspense fallback={plain}>{children(open, setOpen)}</Suspense>;
}

function sends(e: KeyboardEvent, enterSends: boolean): boolean {
  if (e.ctrlKey || e.metaKey) return true;
  return enterSends && !e.shiftKey && !e.altKey;
}

function mentionKey(e: KeyboardEvent, mentions: ReturnType<typeof useMentions>, pick: (c: Candidate) => void): boolean {
  const { candidates, index, setIndex } = mentions;
  if (e.key === 'ArrowDown') setIndex((index + 1) % candidates.length);
  else if (e.key === 'ArrowUp') setIndex((index - 1 + candidates.length) % candidates.length);
  else if (e.key === 'Escape') mentions.close();
  else if ((e.key === 'Enter' || e.key === 'Tab') && candidates[index]) pick(candidates[index]);
  else return false;
  return true;
}

/** Outside of the other one's hours: said before sending, not after. */
function Resting({ until }: { until: number }) {
  const t = useT();
  const locale = useLocale();
  const when = `${dayTitle(locale, until, now())} ${clockTime(locale, until)}`;
  return <p className={styles.hint}>{t('chat:composer.resting', { when })}</p>;
}

/** Tells others that one writes, at most every three seconds. */
function useTyping(conversation: string): () => void {
  const last = useRef(0);
  return () => {
    if (Date.now() - last.current < TYPING_EVERY_MS) return;
    last.current = Date.now();
    services()?.realtime.typing(conversation);
  };
}

/** Takes the focus when a conversation opens (not under a finger, whose keyboard would cover it) and when an action asks. */
function useFocus(area: RefObject<HTMLTextAreaElement | null>): void {
  const asked = useStore(chatUi, (s) => s.focus);
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once per request
  useEffect(() => {
    const opening = first.current;
    first.current = false;
    if (opening && window.matchMedia('(pointer: coarse)').matches) return;
    const el = area.current;
    el?.focus({ preventScroll: true });
    el?.setSelectionRange(el.value.length, el.value.length);
  }, [asked, area]);
}

/** Less than this, in the size of the person's letters, leaves nothing of the field beside its keys. */
const CRAMPED_REM = 20;

const cramped = () =>
  window.innerWidth < CRAMPED_REM * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);

/** Grows with its text, up to a part of the window. */
function useHeight(area: RefObject<HTMLTextAreaElement | null>, text: string, wide: boolean): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: text and width decide the height
  useLayoutEffect(() => {
    const el = area.current;
    if (!el) return;
    el.style.height = 'auto';
    // An empty one is one line high; to ask would make the browser lay out everything.
    if (text === '') return;
    el.style.height = `${Math.min(el.scrollHeight, window.innerHeight * 0.35)}px`;
  }, [text, wide, area]);
}
