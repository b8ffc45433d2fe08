import styles from './ReadRing.module.css';

const R = 5.5;
const LENGTH = 2 * Math.PI * R;

/** A small ring that fills as people read. */
export function ReadRing({ share }: { share: number }) {
  const full = share >= 1;
  return (
    <svg className={styles.ring} viewBox="0 0 16 16" aria-hidden focusable="false" data-full={full || undefined}>
      <circle cx="8" cy="8" r={R} className={styles.track} />
      {share > 0 ? (
        <circle
          cx="8"
          cy="8"
          r={R}
          className={styles.fill}
          strokeDasharray={`${Math.min(1, share) * LENGTH} ${LENGTH}`}
          transform="rotate(-90 8 8)"
        />
      ) : null}
      {full ? <path d="M5.5 8.2 7.2 9.9 10.6 6.4" className={styles.tick} /> : null}
    </svg>
  );
}
