import { AlertCircle, Clock } from 'lucide-react';
import { type KeyboardEvent, lazy, memo, Suspense, useState } from 'react';
import { useStore } from 'zustand';
import type { Message } from '~/api/types';
import { now } from '~/core/clock';
import type { OutboxRow } from '~/core/outbox';
import { people } from '~/core/store/people';
import { myId } from '~/core/store/session';
import { useLocale, useT } from '~/i18n';
import { clockTime, dayTitle, fullTime } from '~/i18n/format';
import { Avatar } from '~/ui/Avatar';
import { cx } from '~/ui/cx';
import { isComposing } from '~/ui/isComposing';
import { Marks } from '~/ui/Marks';
import { REWRITE_MS } from '../actions';
import { useMarks } from '../marks';
import { useGone, useName } from '../names';
import type { Row } from '../rows';
import { messageAt } from '../segments';
import { chat } from '../store';
import { useSystemText } from '../system';
import { isBare, plainText } from '../text';
import { chatUi, flipSelected } from '../ui';
import { Body } from './Body';
import styles from './MessageRow.module.css';
import { Reactions } from './Reactions';
import { ReadState } from './ReadState';
import { startReply } from './reply';
import { useLongPress } from './useLongPress';

// Menus are a fifth of the shell and nobody needs them before the first message is under the pointer.
const MessageTools = lazy(() => import('./MessageTools').then((m) => ({ default: m.MessageTools })));
const Rewrite = lazy(() => import('./seldom').then((m) => ({ default: m.Rewrite })));
const AckKey = lazy(() => import('./seldom').then((m) => ({ default: m.AckKey })));
const PendingNotes = lazy(() => import('./seldom').then((m) => ({ default: m.PendingNotes })));
const ForwardedCard = lazy(() => import('./seldom').then((m) => ({ default: m.ForwardedCard })));
const SelectBox = lazy(() => import('./Selecting').then((m) => ({ default: m.SelectBox })));

export interface MessageRowProps {
  row: Row;
  conversation: string;
  /** Names stand above others' messages where more than two talk. */
  named: boolean;
  lit: boolean;
  /** From the message `by` to the one it answers. */
  onFollow: (seq: number, by: number) => void;
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { row } = props;
  return (
    <div className={cx(styles.row, row.closes && styles.closes)}>
      {row.newDay ? <DayDivider at={row.at} /> : null}
      {row.firstUnread ? <UnreadDivider /> : null}
      <Content {...props} />
    </div>
  );
});

function Content({ row, ...rest }: MessageRowProps) {
  if (row.pending) return <Pending row={row} pending={row.pending} />;
  const message = row.message;
  if (!message) return null;
  if (message.body === null) return <Recalled conversation={rest.conversation} message={message} />;
  if (message.body.kind !== 'blocks') return <SystemLine message={message} />;
  return <Bubble row={row} message={message} {...rest} />;
}

function DayDivider({ at }: { at: number }) {
  const locale = useLocale();
  return (
    <h2 className={styles.day}>
      <time dateTime={new Date(at).toISOString()}>{dayTitle(locale, at, now())}</time>
    </h2>
  );
}

function UnreadDivider() {
  const t = useT();
  return (
    <h2 className={styles.unread} data-testid="unread-divider">
      {t('chat:timeline.unread')}
    </h2>
  );
}

function SystemLine({ message }: { message: Message }) {
  const system = useSystemText();
  return <p className={styles.system}>{system(message)}</p>;
}

function Recalled({ conversation, message }: { conversation: string; message: Message }) {
  const t = useT();
  const name = useName(message.sender.id);
  const mine = message.sender.id === myId();
  return (
    <p className={styles.system}>
      {mine ? t('chat:message.you_recalled') : t('chat:message.who_recalled', { who: name })}
      {mine && message.recalled_at !== null && now() - message.recalled_at < REWRITE_MS ? (
        <Suspense>
          <Rewrite conversation={conversation} message={message} />
        </Suspense>
      ) : null}
    </p>
  );
}

function Bubble({ row, message, conversation, named, lit, onFollow }: MessageRowProps & { message: Message }) {
  const t = useT();
  const locale = useLocale();
  const name = useName(message.sender.id);
  const me = myId();
  const marks = useMarks(conversation, message.sender.id);
  const gone = useGone(conversation, message.sender.id);
  const active = useStore(chatUi, (s) => s.active === row.key);
  const selecting = useStore(chatUi, (s) => s.selecting?.conversation === conversation);
  const [held, setHeld] = useState(false);
  const show = (on: boolean) => chatUi.setState({ active: on ? row.key : undefined });
  const openSheet = () => chatUi.setState({ sheet: message.seq, active: undefined });
  const press = useLongPress(openSheet);
  const bare = !message.reply_to && !message.forwarded && !message.edited_at && isBare(message.body);
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.target !== e.currentTarget || isComposing(e) || e.key !== 'Enter') return;
    e.preventDefault();
    if (selecting) flipSelected(message.seq);
    else if (e.altKey) startReply(conversation, message.seq);
    else openSheet();
  };
  return (
    <article
      className={cx(styles.message, row.mine && styles.mine, lit && styles.lit, selecting && styles.selecting)}
      aria-label={t('chat:message.label', {
        who: row.mine ? t('chat:message.you') : name,
        when: clockTime(locale, message.sent_at),
      })}
      data-seq={message.seq}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      onPointerEnter={(e) => e.pointerType === 'mouse' && show(true)}
      onPointerLeave={(e) => e.pointerType === 'mouse' && !held && show(false)}
      onFocus={(e) => byKeyboard(e.target) && show(true)}
      onBlur={(e) => !held && !e.currentTarget.contains(e.relatedTarget) && show(false)}
    >
      {row.mine ? null : (
        <span className={styles.side}>
          {row.grouped ? null : <Avatar id={message.sender.id} name={name} size="small" />}
        </span>
      )}
      <div className={styles.column}>
        {row.grouped ? null : (
          <p className={styles.meta}>
            {!row.mine && named ? <span className={styles.name}>{name}</span> : null}
            {/* In a conversation of two the head says it once. */}
            {row.mine || !named ? null : <Marks of={marks} />}
            {gone && !row.mine ? (
              <span className={styles.gone}>
                {gone === 'left' ? t('chat:message.left') : t('chat:message.resigned')}
              </span>
            ) : null}
            <time title={fullTime(locale, message.sent_at)}>{clockTime(locale, message.sent_at)}</time>
          </p>
        )}
        <div className={styles.line}>
          {row.mine ? <ReadState conversation={conversation} seq={message.seq} me={me} words={false} /> : null}
          <div className={cx(styles.bubble, bare && styles.bare)} {...(selecting ? {} : press)} data-testid="bubble">
            {message.reply_to ? (
              <Quote
                conversation={conversation}
                seq={message.reply_to}
                onFollow={(seq) => onFollow(seq, message.seq)}
              />
            ) : null}
            <From message={message} conversation={conversation} />
            {message.body ? <Body body={message.body} conversation={conversation} /> : null}
            {message.edited_at ? (
              <span className={styles.edited} title={fullTime(locale, message.edited_at)}>
                {t('chat:message.edited')}
              </span>
            ) : null}
            {(active || held) && !selecting ? (
              <Suspense>
                <MessageTools conversation={conversation} message={message} mine={row.mine} onOpen={setHeld} />
              </Suspense>
            ) : null}
          </div>
        </div>
        {row.mine ? <ReadState conversation={conversation} seq={message.seq} me={me} words /> : null}
        {message.ack ? (
          <Suspense>
            <AckKey conversation={conversation} message={message} mine={row.mine} />
          </Suspense>
        ) : null}
        <Reactions conversation={conversation} message={message} />
      </div>
      {selecting ? (
        <Suspense>
          <SelectBox seq={message.seq} />
        </Suspense>
      ) : null}
    </article>
  );
}

/** A tap, or a dialog that gives the focus back after one, asks for no tools. */
function byKeyboard(element: Element): boolean {
  try {
    return element.matches(':focus-visible');
  } catch {
    // Safari before 15.4.
    return true;
  }
}

/** Whose words these are, where they were sent on. */
function From({ message: m, conversation }: { message: Message; conversation: string }) {
  const t = useT();
  if (m.forwarded?.kind === 'one')
    return <p className={styles.from}>{t('chat:forward.from', { who: m.forwarded.name })}</p>;
  if (m.forwarded?.kind !== 'combined') return null;
  return (
    <Suspense>
      <ForwardedCard conversation={conversation} seq={m.seq} forwarded={m.forwarded} />
    </Suspense>
  );
}

function Quote({
  conversation,
  seq,
  onFollow,
}: {
  conversation: string;
  seq: number;
  onFollow: (seq: number) => void;
}) {
  const t = useT();
  const quoted = useStore(chat, (s) => messageAt(s.timelines[conversation]?.segments ?? [], seq));
  const name = useName(quoted?.sender.id);
  const users = useStore(people, (s) => s.users);
  const text = !quoted
    ? t('chat:message.quoted')
    : quoted.body
      ? plainText(quoted.body, (id) => users[id]?.name ?? '')
      : t('chat:message.recalled');
  if (quoted?.undone) return null;
  return (
    <button type="button" className={styles.quote} onClick={() => onFollow(seq)}>
      {quoted ? <strong>{name}</strong> : null} {text}
    </button>
  );
}

function Pending({ row, pending }: { row: Row; pending: OutboxRow }) {
  const t = useT();
  const locale = useLocale();
  const failed = pending.failed;
  return (
    <article
      className={cx(styles.message, styles.mine)}
      aria-label={t('chat:message.label', { who: t('chat:message.you'), when: clockTime(locale, row.at) })}
      tabIndex={-1}
      data-testid={failed ? 'message-failed' : 'message-sending'}
    >
      <div className={styles.column}>
        {row.grouped ? null : (
          <p className={styles.meta}>
            <time>{clockTime(locale, row.at)}</time>
          </p>
        )}
        <div className={styles.line}>
          {failed ? (
            <AlertCircle className={styles.failedIcon} role="img" aria-label={t('chat:message.failed')} />
          ) : (
            <Clock className={styles.sending} role="img" aria-label={t('chat:message.sending')} />
          )}
          <div className={cx(styles.bubble, !pending.reply_to && isBare(pending.body) && styles.bare)}>
            <Body body={pending.body} conversation={pending.conversation} />
          </div>
        </div>
        {failed || pending.waiting || pending.unkept ? (
          <Suspense>
            <PendingNotes pending={pending} />
          </Suspense>
        ) : null}
      </div>
    </article>
  );
}
