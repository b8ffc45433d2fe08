import { Printer } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import { type AppError, asAppError } from '~/api/client';
import type { Card, Org } from '~/api/types';
import { uuidv7 } from '~/core/uuid';
import { useProof } from '~/features/identity';
import { useErrorText, useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { FormError } from '~/ui/FormError';
import { Section } from '~/ui/Section';
import { TextArea } from '~/ui/TextArea';
import { issueAccounts } from '../../manage';
import { CardSheet, Cards } from '../../parts/CardSheet';
import { type Line, readPeople } from '../../people';
import styles from './Accounts.module.css';
import { useManaged } from './Manage';

/** As many as one request makes. */
const CHUNK = 50;
const MOST = 1_000;

/** Accounts for people without e-mail or phone: a list becomes cards to print and hand out. */
export function Accounts() {
  const org = useManaged();
  return org ? <Issue key={org.id} org={org} /> : null;
}

function Issue({ org }: { org: Org }) {
  const t = useT();
  const errorText = useErrorText();
  const { prove, dialog } = useProof();
  const [text, setText] = useState('');
  const [cards, setCards] = useState<Card[]>([]);
  const [total, setTotal] = useState(0);
  const [error, setError] = useState<AppError>();
  const [running, setRunning] = useState(false);
  const rest = useRef<Line[]>([]);
  /** Of the chunk under way: the same one again makes nobody twice. */
  const key = useRef(uuidv7());
  const { people, bad } = useMemo(() => readPeople(text), [text]);

  /** What is made stays made: after a failure it goes on with the rest. */
  const run = async () => {
    setRunning(true);
    setError(undefined);
    try {
      while (rest.current.length > 0) {
        const chunk = rest.current.slice(0, CHUNK);
        const made = await prove(() => issueAccounts(org.id, chunk, key.current));
        setCards((before) => [...before, ...made.cards]);
        rest.current = rest.current.slice(CHUNK);
        key.current = uuidv7();
      }
      setText('');
    } catch (e) {
      setError(asAppError(e));
    }
    setRunning(false);
  };
  const begin = () => {
    rest.current = people;
    setTotal(cards.length + people.length);
    void run();
  };
  const why = (b: (typeof bad)[number]) => t(`directory:accounts.bad.${b.why}`, { line: b.line, text: b.text });
  const left = rest.current.length;
  return (
    <Section title={t('directory:manage.accounts')} text={t('directory:accounts.text')}>
      {cards.length === 0 && !running ? (
        <>
          <TextArea
            label={t('directory:accounts.list')}
            hint={t('directory:accounts.list_hint')}
            value={text}
            onChange={setText}
            rows={8}
          />
          {bad.slice(0, 5).map((b) => (
            <FormError key={b.line}>{why(b)}</FormError>
          ))}
          {bad.length > 5 ? <FormError>{t('directory:accounts.bad_more', { count: bad.length - 5 })}</FormError> : null}
          {people.length > MOST ? <FormError>{t('directory:accounts.too_many', { most: MOST })}</FormError> : null}
          <FormError>{error ? errorText(error) : undefined}</FormError>
          <Button
            kind="primary"
            isDisabled={people.length === 0 || bad.length > 0 || people.length > MOST}
            onPress={begin}
          >
            {t('directory:accounts.make', { count: people.length })}
          </Button>
        </>
      ) : (
        <>
          <label className={styles.progress}>
            {t('directory:accounts.made', { count: cards.length, total })}
            <progress max={total} value={cards.length} />
          </label>
          <FormError>{error ? errorText(error) : undefined}</FormError>
          {error ? (
            <Button kind="primary" onPress={() => void run()}>
              {t('directory:accounts.go_on', { count: left })}
            </Button>
          ) : null}
          {running ? null : (
            <div className={styles.acts}>
              <Button kind="primary" isDisabled={cards.length === 0} onPress={() => window.print()}>
                <Printer aria-hidden size={16} />
                {t('directory:accounts.print', { count: cards.length })}
              </Button>
              <Button isDisabled={left > 0} onPress={() => setCards([])}>
                {t('directory:accounts.done')}
              </Button>
            </div>
          )}
          <p>{t('directory:card.once')}</p>
          <div className={styles.preview}>
            <Cards org={org} cards={cards.slice(0, 4)} />
          </div>
          {running ? null : <CardSheet org={org} cards={cards} />}
        </>
      )}
      {dialog}
    </Section>
  );
}
