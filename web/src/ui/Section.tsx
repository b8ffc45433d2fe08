import { type ReactNode, useId } from 'react';
import styles from './Section.module.css';

/** A part of a page about the account: its heading, what it is for, what is there. */
export function Section({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  const id = useId();
  return (
    <section className={styles.section} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {text ? <p className={styles.text}>{text}</p> : null}
      {children}
    </section>
  );
}

/** One thing with what can be done to it; `face` stands before its words, which stay under one another. */
export function Row({
  face,
  words,
  below,
  children,
}: {
  face?: ReactNode;
  words: ReactNode;
  below?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <li className={styles.row}>
      {face}
      <span className={styles.words}>
        <span>{words}</span>
        {below ? <span className={styles.below}>{below}</span> : null}
      </span>
      {children ? <span className={styles.acts}>{children}</span> : null}
    </li>
  );
}

export function Rows({ children }: { children: ReactNode }) {
  return <ul className={styles.list}>{children}</ul>;
}
