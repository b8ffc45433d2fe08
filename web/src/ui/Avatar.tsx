import { useEffect, useState } from 'react';
import { useStore } from 'zustand';
import { people, wantPeople } from '~/core/store/people';
import styles from './Avatar.module.css';
import { cx } from './cx';
import { initials } from './initials';

/** Each keeps at least 4.5:1 under white letters. */
const PALETTE = [
  '#1c5dab',
  '#0f6e72',
  '#7a4a9c',
  '#9a4a1f',
  '#2f6b34',
  '#a03a5b',
  '#4b58a6',
  '#6b5a1e',
  '#35637d',
  '#8a3f86',
] as const;

function colour(id: string): string {
  let hash = 7;
  for (let i = 0; i < id.length; i++) hash = (hash * 31 + id.charCodeAt(i)) >>> 0;
  return PALETTE[hash % PALETTE.length] ?? PALETTE[0];
}

type Size = 'small' | 'medium' | 'large';

export function Avatar({
  id,
  name,
  size = 'medium',
  online,
  away,
}: {
  id: string;
  name: string;
  size?: Size;
  /** Shows the dot with these words for those who cannot see it. */
  online?: string | undefined;
  away?: boolean;
}) {
  const version = useStore(people, (s) => s.users[id]?.photo);
  const [broken, setBroken] = useState<string>();
  useEffect(() => wantPeople([id]), [id]);
  const address = version ? `/api/v1/users/${id}/photo/${version}?size=${size === 'large' ? 512 : 96}` : undefined;
  // Initials stand in for a photo that does not come.
  const photo = address === broken ? undefined : address;
  return (
    <span
      className={cx(styles.avatar, styles.person, styles[size], away && styles.away)}
      style={{ backgroundColor: colour(id) }}
    >
      {photo ? (
        <img
          className={styles.photo}
          src={photo}
          alt=""
          loading="lazy"
          decoding="async"
          onError={() => setBroken(photo)}
        />
      ) : (
        <span aria-hidden>{initials(name)}</span>
      )}
      {online ? <span className={styles.dot} role="img" aria-label={online} /> : null}
    </span>
  );
}

/** A group or an organisation: a rounded square made of its members. */
export function GroupAvatar({
  id,
  name,
  members,
  size = 'medium',
}: {
  id: string;
  name: string;
  members?: { id: string; name: string }[];
  size?: Size;
}) {
  const tiles = (members ?? []).filter((m) => m.name).slice(0, 4);
  if (tiles.length < 2) {
    return (
      <span
        className={cx(styles.avatar, styles.group, styles[size])}
        style={{ backgroundColor: colour(id) }}
        aria-hidden
      >
        {initials(name, 2, 'group')}
      </span>
    );
  }
  return (
    <span className={cx(styles.avatar, styles.group, styles.mosaic, styles[size])} aria-hidden>
      {tiles.map((m) => (
        <span key={m.id} className={styles.tile} style={{ backgroundColor: colour(m.id) }}>
          {initials(m.name, 1)}
        </span>
      ))}
    </span>
  );
}
