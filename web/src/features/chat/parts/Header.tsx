import { Link, useNavigate } from '@tanstack/react-router';
import { BellOff, ChevronLeft, Ellipsis, PanelRight, Search } from 'lucide-react';
import { useStore } from 'zustand';
import { useShallow } from 'zustand/react/shallow';
import { people } from '~/core/store/people';
import { useT } from '~/i18n';
import { IconButton } from '~/ui/Button';
import { Marks } from '~/ui/Marks';
import { useLayout } from '~/ui/useLayout';
import type { HeldConversation } from '../events';
import { useMarks } from '../marks';
import { useNames } from '../names';
import { chat } from '../store';
import { openFind } from '../ui';
import { ConversationAvatar } from './ConversationAvatar';
import styles from './Header.module.css';
import { useOutside } from './useOutside';

/** Who one talks with, and what they are doing now. */
export function Header({
  conversation: c,
  title,
  pane,
}: {
  conversation: HeldConversation;
  title: string;
  pane: boolean;
}) {
  const t = useT();
  const navigate = useNavigate();
  const phone = useLayout() === 'phone';
  const marks = useMarks(c.id, c.peer ?? '');
  const outside = useOutside(c, title) !== undefined;
  const params = { conversation: c.id };
  const toggle = () =>
    void navigate({ to: '/chat/$conversation', params, search: pane ? {} : { pane: 'details' }, replace: pane });
  return (
    <header className={styles.header} data-outside={outside || undefined}>
      {phone ? (
        <Link to="/chat" className={styles.back} aria-label={t('common:back')}>
          <ChevronLeft aria-hidden />
        </Link>
      ) : (
        <ConversationAvatar conversation={c} title={title} size="small" />
      )}
      <div className={styles.words}>
        <div className={styles.line}>
          <h1 className={styles.title}>{title}</h1>
          <Marks of={c.kind === 'direct' ? marks : { external: outside }} />
        </div>
        <Status conversation={c} />
      </div>
      <IconButton label={t('chat:find.title')} onPress={openFind}>
        <Search aria-hidden />
      </IconButton>
      <IconButton label={t('chat:details.title')} active={pane} onPress={toggle}>
        {phone ? <Ellipsis aria-hidden /> : <PanelRight aria-hidden />}
      </IconButton>
    </header>
  );
}

function Status({ conversation: c }: { conversation: HeldConversation }) {
  const t = useT();
  const typing = useStore(
    chat,
    useShallow((s) => Object.keys(s.typing[c.id] ?? {})),
  );
  const names = useNames(typing).filter(Boolean);
  const online = useStore(people, (s) => s.presence[c.peer ?? '']);
  if (names.length > 0) {
    const who = names.slice(0, 3).join(t('chat:title.join'));
    return (
      <p className={styles.status} aria-live="polite">
        {c.kind === 'direct' ? t('chat:header.typing') : t('chat:header.who_typing', { who })}
      </p>
    );
  }
  const text =
    c.kind === 'direct'
      ? online && t(`common:${online}`)
      : c.kind === 'self'
        ? undefined
        : t('chat:header.members', { count: c.member_count });
  const { muted } = c.preferences;
  if (!text && !muted) return null;
  return (
    <p className={styles.status}>
      {text}
      {muted ? <BellOff className={styles.muted} role="img" aria-label={t('chat:details.mute')} /> : null}
    </p>
  );
}
