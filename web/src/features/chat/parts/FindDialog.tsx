import { type InfiniteData, useInfiniteQuery } from '@tanstack/react-query';
import { type FormEvent, type RefObject, useEffect, useRef, useState } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { asAppError } from '~/api/client';
import { wantPeople } from '~/core/store/people';
import { useErrorText, useLocale, useT } from '~/i18n';
import { calendarDay, clockTime, dayTitle } from '~/i18n/format';
import { Avatar } from '~/ui/Avatar';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { EmptyState, FailedState } from '~/ui/EmptyState';
import { FormError } from '~/ui/FormError';
import { SearchField } from '~/ui/SearchField';
import { SkeletonRows } from '~/ui/Skeleton';
import { usePaused } from '~/ui/usePaused';
import { useSubmit } from '~/ui/useSubmit';
import { type FoundMessage, type FoundMessages, searchMessages } from '../api';
import { findDate } from '../history';
import { useName } from '../names';
import { chatUi } from '../ui';
import styles from './FindDialog.module.css';

/** Typing goes on: asked when it pauses. */
const PAUSE_MS = 300;
/** A page looks at 2,000 messages; as many follow by themselves until something is found. */
const PAGES_AT_ONCE = 10;

/** Finds a message of the conversation by its words, or the first one of a day. */
export function FindDialog({ conversation }: { conversation: string }) {
  const t = useT();
  const [typed, setTyped] = useState('');
  const words = typed.trim();
  const paused = usePaused(words, PAUSE_MS);
  // Emptied at once, so that the day stands there again.
  const text = words && paused;
  const close = () => chatUi.setState({ finding: false });
  const go = (seq: number) => chatUi.setState({ finding: false, jump: { seq } });
  const newest = useRef<number>(undefined);
  const enter = () => (newest.current === undefined ? undefined : go(newest.current));
  return (
    <Dialog open tall title={t('chat:find.title')} onClose={close}>
      <div className={styles.find}>
        <SearchField
          label={t('chat:find.words')}
          value={typed}
          onChange={setTyped}
          onSubmit={enter}
          maxLength={100}
          autoFocus
        />
        {text ? (
          <Found key={text} conversation={conversation} text={text} newest={newest} onGo={go} />
        ) : (
          <Day conversation={conversation} onGo={go} />
        )}
      </div>
    </Dialog>
  );
}

function useFound(conversation: string, text: string) {
  const query = useInfiniteQuery<FoundMessages, Error, InfiniteData<FoundMessages>, string[], number | undefined>({
    queryKey: ['find', conversation, text],
    staleTime: 0,
    initialPageParam: undefined,
    queryFn: ({ pageParam, signal }) => searchMessages(conversation, text, pageParam, signal),
    getNextPageParam: (page) => page.next,
  });
  const { data, hasNextPage, isFetching, isError, fetchNextPage } = query;
  const pages = data?.pages ?? [];
  const items = pages.flatMap((page) => page.items);
  const goesOn = hasNextPage && items.length === 0 && pages.length % PAGES_AT_ONCE !== 0;
  useEffect(() => {
    if (goesOn && !isFetching && !isError) void fetchNextPage();
  }, [goesOn, isFetching, isError, fetchNextPage]);
  return { ...query, items, busy: isFetching || (goesOn && !isError), backTo: pages[pages.length - 1]?.back_to };
}

function Found({
  conversation,
  text,
  newest,
  onGo,
}: {
  conversation: string;
  text: string;
  /** Where Enter goes. */
  newest: RefObject<number | undefined>;
  onGo: (seq: number) => void;
}) {
  const t = useT();
  const locale = useLocale();
  const errorText = useErrorText();
  const { items, busy, backTo, hasNextPage, isError, error, fetchNextPage, refetch } = useFound(conversation, text);
  useEffect(() => {
    wantPeople(new Set(items.map((m) => m.sender.id)));
    newest.current = items[0]?.seq;
    return () => {
      newest.current = undefined;
    };
  }, [items, newest]);
  const day = backTo === undefined ? '' : calendarDay(locale, backTo, Date.now());
  const said = busy
    ? t('chat:find.looking')
    : hasNextPage
      ? t('chat:find.found_to', { count: items.length, day })
      : t('chat:find.found', { count: items.length });
  if (isError && items.length === 0) return <FailedState error={asAppError(error)} retry={() => void refetch()} />;
  return (
    <>
      <p className={styles.said} aria-live="polite">
        {said}
      </p>
      {items.length > 0 ? (
        <ul className={styles.list} aria-label={t('chat:find.title')}>
          {items.map((m) => (
            <li key={m.seq}>
              <Hit message={m} onGo={onGo} />
            </li>
          ))}
        </ul>
      ) : busy ? (
        <SkeletonRows rows={3} />
      ) : hasNextPage ? null : (
        <EmptyState title={t('chat:find.none')} />
      )}
      {isError ? <FormError>{errorText(asAppError(error))}</FormError> : null}
      {hasNextPage && !(busy && items.length === 0) ? (
        <Button isPending={busy} onPress={() => void fetchNextPage()}>
          {t('chat:find.older')}
        </Button>
      ) : null}
    </>
  );
}

function Hit({ message: m, onGo }: { message: FoundMessage; onGo: (seq: number) => void }) {
  const locale = useLocale();
  const name = useName(m.sender.id);
  return (
    <AriaButton className={styles.hit ?? ''} onPress={() => onGo(m.seq)}>
      <Avatar id={m.sender.id} name={name} size="small" />
      <span className={styles.words}>
        <span className={styles.who}>
          <bdi>{name}</bdi>
          <span className={styles.when}>
            {dayTitle(locale, m.sent_at, Date.now())} {clockTime(locale, m.sent_at)}
          </span>
        </span>
        <bdi className={styles.text}>
          {m.excerpt.before}
          <mark className={styles.mark}>{m.excerpt.found}</mark>
          {m.excerpt.after}
        </bdi>
      </span>
    </AriaButton>
  );
}

const today = () => {
  const d = new Date();
  const two = (n: number) => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
};

/** To the first message of a day, with the browser's own date field. */
function Day({ conversation, onGo }: { conversation: string; onGo: (seq: number) => void }) {
  const t = useT();
  const [day, setDay] = useState(today);
  const { submit, pending, general } = useSubmit(async () =>
    onGo(await findDate(conversation, new Date(`${day}T00:00:00`).getTime())),
  );
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return (
    <form className={styles.form} onSubmit={onSubmit}>
      <label className={styles.label}>
        {t('chat:find.day')}
        <input
          type="date"
          className={styles.input}
          value={day}
          max={today()}
          required
          onChange={(e) => setDay(e.target.value)}
        />
      </label>
      <FormError>{general()}</FormError>
      <Button type="submit" isPending={pending}>
        {t('chat:find.go')}
      </Button>
    </form>
  );
}
