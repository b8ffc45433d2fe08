import { Reply, Undo2 } from 'lucide-react';
import { useState } from 'react';
import { useStore } from 'zustand';
import { AppError, asAppError } from '~/api/client';
import type { Body, FileBlock, Forwarded, ImageBlock, Message } from '~/api/types';
import { isolated } from '~/core/names';
import type { OutboxRow } from '~/core/outbox';
import { pictureRoom } from '~/ui/files/room';
import { linked } from '~/ui/linked';
import { useErrorText, useT } from '../i18n';
import type { Kept } from '../kept';
import { discard, recall, retry, rewrite, talk } from '../talk';
import { isAttached } from '../tray';
import { useFiles } from '../useFiles';
import styles from '../visitor.module.css';
import { Vouched } from './Who';

function useName(kept: Kept): (id: string) => string {
  const t = useT();
  const members = useStore(talk, (s) => s.members);
  return (id) => {
    if (id === kept.user) return t('visitor:talk.me');
    if (id === kept.look.host.id) return kept.look.host.name;
    return members[id]?.name || t('visitor:talk.someone');
  };
}

/** What a body says, in words alone: blocks as text, never as HTML. Files by name, or not at all where they are drawn. */
function useWords(kept: Kept, drawn = false): (body: Body | null | undefined) => string {
  const t = useT();
  const nameOf = useName(kept);
  return (body) => {
    if (body?.kind !== 'blocks') return t('visitor:talk.recalled');
    const words = body.blocks.map((b) => {
      if (b.type === 'text') return b.text;
      if (isAttached(b) && drawn) return '';
      if (b.type === 'image') return t('visitor:talk.picture');
      if (b.type === 'file') return t('visitor:talk.file', { name: isolated(b.name ?? '') });
      if (b.type === 'mention') return `@${b.user === 'all' ? t('visitor:talk.all') : nameOf(b.user)}`;
      return t('visitor:talk.other');
    });
    return words.join('');
  };
}

export function Row({
  message: m,
  kept,
  time,
  latest,
  onQuote,
}: {
  message: Message;
  kept: Kept;
  time: string;
  /** The last of one's own, under which it stands whether it was read. */
  latest: boolean;
  onQuote: () => void;
}) {
  const t = useT();
  const nameOf = useName(kept);
  const said = useWords(kept, true);
  const words = useWords(kept);
  const marks = useStore(talk, (s) => s.members[m.sender.id]);
  const quoted = useStore(talk, (s) => s.messages.find((other) => other.seq === m.reply_to));
  const again = useStore(talk, (s) => s.recalled[m.seq] !== undefined);
  const errorText = useErrorText();
  const [failed, setFailed] = useState<AppError>();
  const [busy, setBusy] = useState(false);
  const mine = m.sender.id === kept.user;
  const text = m.body ? said(m.body) : '';
  const files = m.body?.kind === 'blocks' ? m.body.blocks.filter(isAttached) : [];
  const bare = text === '' && files.length > 0 && !quoted && !m.forwarded;
  const takeBack = async () => {
    setBusy(true);
    setFailed(undefined);
    await recall(m).catch((error) => setFailed(asAppError(error)));
    setBusy(false);
  };
  return (
    <article className={`${styles.row} ${mine ? styles.mine : ''}`}>
      <p className={styles.meta}>
        {mine ? <span className="visually-hidden">{t('visitor:talk.me')}</span> : <bdi>{nameOf(m.sender.id)}</bdi>}
        {!mine && marks && (marks.external || marks.lookalike || marks.unverified) ? <Vouched of={marks} /> : null}
        <time>{time}</time>
      </p>
      <div className={styles.said}>
        <div className={`${styles.bubble} ${bare ? styles.bare : ''}`} data-testid="bubble">
          {m.forwarded && m.body ? <From of={m.forwarded} /> : null}
          {quoted ? (
            <p className={styles.quote}>
              <strong>{nameOf(quoted.sender.id)}</strong> {words(quoted.body)}
            </p>
          ) : null}
          {m.body ? linked(text) : <em>{t('visitor:talk.recalled')}</em>}
          <Attachments files={files} />
          {m.edited_at && m.body ? <small className={styles.edited}>{t('visitor:talk.edited')}</small> : null}
        </div>
        {m.body ? (
          <button type="button" className={styles.icon} aria-label={t('visitor:talk.quote')} onClick={onQuote}>
            <Reply aria-hidden size={18} />
          </button>
        ) : null}
        {m.body && mine ? (
          <button
            type="button"
            className={styles.icon}
            aria-label={t('visitor:talk.recall')}
            disabled={busy}
            onClick={() => void takeBack()}
          >
            <Undo2 aria-hidden size={18} />
          </button>
        ) : null}
      </div>
      {again ? (
        <button type="button" className={styles.link} onClick={() => rewrite(m.seq)}>
          {t('visitor:talk.rewrite')}
        </button>
      ) : null}
      {failed ? (
        <p className={styles.error} role="alert">
          {errorText(failed)}
        </p>
      ) : null}
      {mine && latest ? <ReadState seq={m.seq} /> : null}
    </article>
  );
}

/** Pictures and files in the room that is kept for them, until what draws them is there. */
function Attachments({ files: all }: { files: readonly (ImageBlock | FileBlock)[] }) {
  const files = useFiles();
  if (all.length === 0) return null;
  if (files) return <files.MessageFiles files={all} />;
  const pictures = all.filter((b): b is ImageBlock => b.type === 'image');
  const { width, height } = pictureRoom(pictures);
  return (
    <span className={styles.room}>
      {pictures.length > 0 ? <span style={{ width, aspectRatio: `${width} / ${height}` }} /> : null}
      {all.slice(pictures.length).map((b) => (
        <span key={b.file} className={styles.fileRoom} />
      ))}
    </span>
  );
}

/** Where a copy comes from; of several messages the beginning of each of the first. */
function From({ of }: { of: Forwarded }) {
  const t = useT();
  if (of.kind === 'one')
    return <p className={styles.from}>{t('visitor:talk.forwarded', { who: isolated(of.name) })}</p>;
  return (
    <div className={styles.from}>
      <strong>{t('visitor:talk.record')}</strong>
      {of.items.map((item, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of one record have no other name and do not move
        <p key={i}>
          <bdi>{item.name}</bdi> {item.text}
        </p>
      ))}
      <p>{t('visitor:talk.record_count', { count: of.count })}</p>
    </div>
  );
}

function ReadState({ seq }: { seq: number }) {
  const t = useT();
  const others = useStore(talk, (s) => Object.keys(s.members).length - 1);
  const count = useStore(talk, (s) => Object.values(s.read).filter((read) => read >= seq).length);
  if (count === 0) return <p className={styles.meta}>{t('visitor:talk.unread')}</p>;
  return (
    <p className={styles.meta}>{count >= others ? t('visitor:talk.read') : t('visitor:talk.read_by', { count })}</p>
  );
}

/** On its way, or refused. */
export function Waiting({ row }: { row: OutboxRow }) {
  const t = useT();
  const text = useErrorText();
  const live = useStore(talk, (s) => s.connection === 'live');
  const words = row.body.blocks.map((b) => (b.type === 'text' ? b.text : '')).join('');
  const files = row.body.blocks.filter(isAttached);
  return (
    <article className={`${styles.row} ${styles.mine}`} data-testid="sending">
      <div className={styles.said}>
        <div className={`${styles.bubble} ${words ? '' : styles.bare}`}>
          {words}
          <Attachments files={files} />
        </div>
      </div>
      {row.failed ? (
        <p className={styles.error}>
          {text(new AppError(row.failed.code, 0))}
          <button type="button" className={styles.link} onClick={() => retry(row.client_id)}>
            {t('visitor:talk.retry')}
          </button>
          <button type="button" className={styles.link} onClick={() => discard(row.client_id)}>
            {t('visitor:talk.delete')}
          </button>
        </p>
      ) : (
        <p className={styles.meta}>{t(live ? 'visitor:talk.sending' : 'visitor:talk.waiting')}</p>
      )}
    </article>
  );
}

/** A line of the conversation itself. */
export function Line({ message, kept }: { message: Message; kept: Kept }) {
  const t = useT();
  const nameOf = useName(kept);
  const line = message.body;
  // One's own coming is where the page begins.
  if (line?.kind !== 'system' || (line.event === 'guest_joined' && line.actor === kept.user)) return null;
  const who = 'actor' in line ? nameOf(line.actor) : '';
  const whom = 'users' in line ? line.users.map(nameOf).join(', ') : '';
  const text =
    line.event === 'guest_joined'
      ? t('visitor:system.came', { who })
      : line.event === 'added'
        ? t('visitor:system.added', { whom })
        : line.event === 'renamed'
          ? t('visitor:system.renamed', { title: line.title })
          : line.event === 'removed' || line.event === 'left'
            ? t('visitor:system.left', { whom })
            : '';
  return text ? <p className={styles.line}>{text}</p> : null;
}
