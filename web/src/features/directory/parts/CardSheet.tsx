import type { Card, Org } from '~/api/types';
import { useT } from '~/i18n';
import { Print } from '~/ui/Print';
import { QrCode } from '~/ui/QrCode';
import styles from './CardSheet.module.css';

/** Cards as they come out of the printer. */
export function Cards({ org, cards }: { org: Org; cards: Card[] }) {
  return (
    <div className={styles.sheet}>
      {cards.map((card) => (
        <PaperCard key={card.user} org={org} card={card} />
      ))}
    </div>
  );
}

/** What is printed while this is there: cards to cut out, ten on a page of A4. */
export function CardSheet({ org, cards }: { org: Org; cards: Card[] }) {
  return (
    <Print>
      <Cards org={org} cards={cards} />
    </Print>
  );
}

function PaperCard({ org, card }: { org: Org; card: Card }) {
  const t = useT();
  return (
    <article className={styles.card}>
      <QrCode text={card.url} label={t('directory:card.qr', { name: card.name })} />
      <div className={styles.words}>
        <span className={styles.org}>{org.name}</span>
        <strong className={styles.name}>{card.name}</strong>
        <dl className={styles.facts}>
          <dt>{t('directory:card.login')}</dt>
          <dd>{card.login}</dd>
          <dt>{t('directory:card.pin')}</dt>
          <dd className={styles.pin}>{card.pin}</dd>
        </dl>
        <span className={styles.how}>{t('directory:card.how')}</span>
      </div>
    </article>
  );
}
