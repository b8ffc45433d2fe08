import { AlertCircle, Clock } from 'lucide-react';
import { type KeyboardEvent, lazy, memo, type PointerEvent, Suspense, useRef, useState } from 'react';
import { useStore } from 'zustand';
import { AppError } from '~/api/client';
import type { Message } from '~/api/types';
import { now } from '~/core/clock';
import type { OutboxRow } from '~/core/outbox';
import { people } from '~/core/store/people';
import { myId } from '~/core/store/session';
import { useErrorText, useLocale, useT } from '~/i18n';
import { clockTime, dayTitle, fullTime } from '~/i18n/format';
import { Avatar } from '~/ui/Avatar';
import { Button } from '~/ui/Button';
import { cx } from '~/ui/cx';
import { isComposing } from '~/ui/isComposing';
import { keepDraft } from '../drafts';
import { services } from '../live';
import { useName } from '../names';
import type { Row } from '../rows';
import { messageAt } from '../segments';
import { chat } from '../store';
import { useSystemText } from '../system';
import { plainText } from '../text';
import { chatUi, focusComposer } from '../ui';
import { Body } from './Body';
import styles from './MessageRow.module.css';
import { Reactions } from './Reactions';
import { ReadState } from './ReadState';

// Menus are a fifth of the shell and nobody needs them before the first message is under the pointer.
const MessageTools = lazy(() => import('./MessageTools').then((m) => ({ default: m.MessageTools })));

export interface MessageRowProps {
  row: Row;
  conversation: string;
  /** Names stand above others' messages where more than two talk. */
  named: boolean;
  lit: boolean;
  onJump: (seq: number) => void;
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

const REWRITE_MS = 5 * 60_000;

function Recalled({ conversation, message }: { conversation: string; message: Message }) {
  const t = useT();
  const name = useName(message.sender.id);
  const mine = message.sender.id === myId();
  const kept = useStore(chat, (s) => s.recalled[`${conversation}:${message.seq}`]);
  const rewrite = kept && Date.now() - kept.at < REWRITE_MS ? kept.draft : undefined;
  return (
    <p className={styles.system}>
      {mine ? t('chat:message.you_recalled') : t('chat:message.who_recalled', { who: name })}
      {rewrite ? (
        <Button
          kind="quiet"
          onPress={() => {
            keepDraft(conversation, rewrite);
            focusComposer();
          }}
        >
          {t('chat:message.rewrite')}
        </Button>
      ) : null}
    </p>
  );
}

const LONG_PRESS_MS = 450;
const MOVED_PX = 10;

/** A long press opens the sheet; moving means scrolling. */
function useLongPress(run: () => void) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const from = useRef({ x: 0, y: 0 });
  const stop = () => clearTimeout(timer.current);
  return {
    onPointerDown(e: PointerEvent) {
      if (e.pointerType !== 'touch') return;
      from.current = { x: e.clientX, y: e.clientY };
      stop();
      timer.current = setTimeout(run, LONG_PRESS_MS);
    },
    onPointerMove(e: PointerEvent) {
      if (Math.hypot(e.clientX - from.current.x, e.clientY - from.current.y) > MOVED_PX) stop();
    },
    onPointerUp: stop,
    onPointerCancel: stop,
  };
}

function Bubble({ row, message, conversation, named, lit, onJump }: MessageRowProps & { message: Message }) {
  const t = useT();
  const locale = useLocale();
  const name = useName(message.sender.id);
  const me = myId();
  const active = useStore(chatUi, (s) => s.active === row.key);
  const [held, setHeld] = useState(false);
  const show = (on: boolean) => chatUi.setState({ active: on ? row.key : undefined });
  const openSheet = () => chatUi.setState({ sheet: message.seq, active: undefined });
  const press = useLongPress(openSheet);
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.target !== e.currentTarget || isComposing(e) || e.key !== 'Enter') return;
    e.preventDefault();
    openSheet();
  };
  return (
    <article
      className={cx(styles.message, row.mine && styles.mine, lit && styles.lit)}
      aria-label={t('chat:message.label', {
        who: row.mine ? t('chat:message.you') : name,
        when: clockTime(locale, message.sent_at),
      })}
      data-seq={message.seq}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      onPointerEnter={(e) => e.pointerType === 'mouse' && show(true)}
      onPointerLeave={(e) => e.pointerType === 'mouse' && !held && show(false)}
      onFocus={() => show(true)}
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
            <time title={fullTime(locale, message.sent_at)}>{clockTime(locale, message.sent_at)}</time>
          </p>
        )}
        <div className={styles.line}>
          {row.mine ? <ReadState conversation={conversation} seq={message.seq} me={me} /> : null}
          <div className={styles.bubble} {...press} data-testid="bubble">
            {message.reply_to ? <Quote conversation={conversation} seq={message.reply_to} onJump={onJump} /> : null}
            {message.body ? <Body body={message.body} /> : null}
            {message.edited_at ? (
              <span className={styles.edited} title={fullTime(locale, message.edited_at)}>
                {t('chat:message.edited')}
              </span>
            ) : null}
            {active || held ? (
              <Suspense>
                <MessageTools conversation={conversation} message={message} mine={row.mine} onOpen={setHeld} />
              </Suspense>
            ) : null}
          </div>
        </div>
        <Reactions conversation={conversation} message={message} />
      </div>
    </article>
  );
}

function Quote({ conversation, seq, onJump }: { conversation: string; seq: number; onJump: (seq: number) => void }) {
  const t = useT();
  const quoted = useStore(chat, (s) => messageAt(s.timelines[conversation]?.segments ?? [], seq));
  const name = useName(quoted?.sender.id);
  const users = useStore(people, (s) => s.users);
  const text = !quoted
    ? t('chat:message.quoted')
    : quoted.body
      ? plainText(quoted.body, (id) => users[id]?.name ?? '')
      : t('chat:message.recalled');
  return (
    <button type="button" className={styles.quote} onClick={() => onJump(seq)}>
      {quoted ? <strong>{name}</strong> : null} {text}
    </button>
  );
}

function Pending({ row, pending }: { row: Row; pending: OutboxRow }) {
  const t = useT();
  const errorText = useErrorText();
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
          <div className={styles.bubble}>
            <Body body={pending.body} />
          </div>
        </div>
        {failed ? (
          <p className={styles.failed} role="alert">
            <span>
              {t('chat:message.failed')}:{' '}
              {errorText(
                new AppError(failed.code, 400, { status: 400, code: failed.code, context: failed.context ?? {} }),
              )}
            </span>
            <Button kind="quiet" onPress={() => void services()?.outbox.retry(pending.client_id)}>
              {t('common:retry')}
            </Button>
            <Button kind="quiet" onPress={() => void services()?.outbox.remove(pending.client_id)}>
              {t('chat:message.delete')}
            </Button>
          </p>
        ) : null}
      </div>
    </article>
  );
}
