import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { BellRing, MonitorSmartphone, MoreHorizontal } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { asAppError } from '~/api/client';
import { LADDER as LADDER_KEY } from '~/api/query';
import { now } from '~/core/clock';
import { useErrorText, useLocale, useT } from '~/i18n';
import { listTime } from '~/i18n/format';
import { Button, IconButton } from '~/ui/Button';
import { FailedState } from '~/ui/EmptyState';
import { InnerPage } from '~/ui/InnerPage';
import { Menu } from '~/ui/Menu';
import { Row, Rows, Section } from '~/ui/Section';
import { SkeletonRows } from '~/ui/Skeleton';
import { toast, toastUndo } from '~/ui/Toast';
import { changeRung, type Ladder, type Rung, type RungPatch, readLadder, removeRung, testRung } from '../api';
import { Add } from '../parts/Add';
import { AllShow } from '../parts/AllShow';
import { Edit } from '../parts/Edit';
import styles from './Reach.module.css';

/** How one is told of what waits while no client is in use: rungs, tried from the first on. */
export function Reach() {
  const t = useT();
  const query = useQuery({ queryKey: LADDER_KEY, queryFn: readLadder, staleTime: 0 });
  return (
    <InnerPage title={t('notify:title')} back={{ to: '/me' }}>
      <Section title={t('notify:ladder')} text={t('notify:text')}>
        {query.isError ? (
          <FailedState error={query.error} retry={() => void query.refetch()} />
        ) : query.isPending ? (
          <SkeletonRows rows={3} />
        ) : (
          <Rungs ladder={query.data} />
        )}
      </Section>
      {query.data ? <Add ladder={query.data} /> : null}
      {query.data?.rungs.length ? <AllShow ladder={query.data} /> : null}
      <Section title={t('settings:rest.title')} text={t('notify:rest')}>
        <Link to="/me">{t('notify:to_rest')}</Link>
      </Section>
    </InnerPage>
  );
}

const REMOVED_MS = 5_000;

/** What was taken down stands a moment longer, so that it can be put back with its secrets. */
function useRemoving() {
  const queries = useQueryClient();
  const errorText = useErrorText();
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  const timers = useRef(new Map<string, ReturnType<typeof setTimeout>>());
  const without = (id: string) => setGone((all) => new Set([...all].filter((other) => other !== id)));
  const carryOut = async (id: string) => {
    timers.current.delete(id);
    try {
      await removeRung(id);
      await queries.invalidateQueries({ queryKey: LADDER_KEY });
    } catch (error) {
      toast(errorText(asAppError(error)));
    }
    without(id);
  };
  const remove = (id: string) => {
    setGone((all) => new Set([...all, id]));
    timers.current.set(
      id,
      setTimeout(() => void carryOut(id), REMOVED_MS),
    );
  };
  const undo = (id: string) => {
    clearTimeout(timers.current.get(id));
    timers.current.delete(id);
    without(id);
  };
  // Whoever leaves the page meant it.
  useEffect(() => {
    const waiting = timers.current;
    return () => {
      for (const [id, timer] of waiting) {
        clearTimeout(timer);
        removeRung(id).catch(() => undefined);
      }
    };
  }, []);
  return { gone, remove, undo };
}

function Rungs({ ladder }: { ladder: Ladder }) {
  const t = useT();
  const locale = useLocale();
  const queries = useQueryClient();
  const errorText = useErrorText();
  const { gone, remove, undo } = useRemoving();
  const [editing, setEditing] = useState<Rung>();
  const rungs = ladder.rungs.filter((rung) => !gone.has(rung.id));
  const when = (at: number) => listTime(locale, at, now());
  const change = async (rung: Rung, patch: RungPatch) => {
    try {
      await changeRung(rung.id, patch);
      await queries.invalidateQueries({ queryKey: LADDER_KEY });
    } catch (error) {
      toast(errorText(asAppError(error)));
    }
  };
  const takeDown = (rung: Rung) => {
    remove(rung.id);
    toastUndo(t('notify:removed'), () => undo(rung.id));
  };
  return (
    <>
      <Rows>
        <Row
          words={
            <span className={styles.name}>
              <MonitorSmartphone aria-hidden size={18} />
              {t('notify:open_client')}
            </span>
          }
          below={
            ladder.acknowledged_at
              ? t('notify:acknowledged', { when: when(ladder.acknowledged_at) })
              : t('notify:always_first')
          }
        />
        {rungs.map((rung, place) => (
          <RungRow
            key={rung.id}
            rung={rung}
            place={place}
            count={rungs.length}
            onEdit={() => setEditing(rung)}
            onChange={(patch) => void change(rung, patch)}
            onRemove={() => takeDown(rung)}
          />
        ))}
      </Rows>
      {ladder.reachable && rungs.length > 0 ? null : (
        <p className={styles.nothing} role="status">
          <BellRing aria-hidden size={18} />
          {t(rungs.length > 0 ? 'notify:none_works' : 'notify:none')}
        </p>
      )}
      {editing ? <Edit rung={editing} onClose={() => setEditing(undefined)} /> : null}
    </>
  );
}

/** How the last try went and what to do about it, and when something last arrived. */
function useStanding(rung: Rung): { text: string; bad: boolean; before?: string } {
  const t = useT();
  const locale = useLocale();
  if (rung.testing) return { text: t('notify:state.testing'), bad: false };
  if (rung.fault) {
    const fault = t(`notify:fault.${rung.fault}`);
    const when = rung.tried_at ? listTime(locale, rung.tried_at, now()) : undefined;
    const before = rung.delivered_at ? listTime(locale, rung.delivered_at, now()) : undefined;
    return {
      text: when && rung.fault !== 'locked' ? t('notify:state.tried', { fault, when }) : fault,
      bad: true,
      ...(before ? { before: t('notify:state.before', { when: before }) } : {}),
    };
  }
  if (!rung.enabled) return { text: t('notify:state.off'), bad: false };
  if (!rung.delivered_at) return { text: t('notify:state.never'), bad: false };
  return { text: t('notify:state.delivered', { when: listTime(locale, rung.delivered_at, now()) }), bad: false };
}

function RungRow({
  rung,
  place,
  count,
  onEdit,
  onChange,
  onRemove,
}: {
  rung: Rung;
  place: number;
  count: number;
  onEdit: () => void;
  onChange: (patch: RungPatch) => void;
  onRemove: () => void;
}) {
  const t = useT();
  const queries = useQueryClient();
  const errorText = useErrorText();
  const [asked, setAsked] = useState(false);
  const state = useStanding(rung);
  const name = rung.label || t(`notify:kind.${rung.kind}`);
  const test = async () => {
    setAsked(true);
    try {
      await testRung(rung.id);
      await queries.invalidateQueries({ queryKey: LADDER_KEY });
    } catch (error) {
      toast(errorText(asAppError(error)));
    }
    setAsked(false);
  };
  const moves = [
    ...(place > 0 ? [{ id: 'up', label: t('notify:up'), run: () => onChange({ position: place - 1 }) }] : []),
    ...(place < count - 1
      ? [{ id: 'down', label: t('notify:down'), run: () => onChange({ position: place + 1 }) }]
      : []),
  ];
  return (
    <Row
      words={
        <span className={styles.name}>
          <bdi>{name}</bdi>
          {rung.here ? <span className={styles.tag}>{t('settings:this_device')}</span> : null}
        </span>
      }
      below={
        <>
          {rung.label ? `${t(`notify:kind.${rung.kind}`)} · ` : ''}
          <bdi>{rung.kind === 'web_push' ? '' : rung.hint}</bdi>
          {rung.shows === 'full' ? null : <span className={styles.state}>{t(`notify:shows.${rung.shows}`)}</span>}
          <span className={state.bad ? styles.bad : styles.state} data-state={rung.fault ?? 'ok'}>
            {state.text}
          </span>
          {state.before ? <span className={styles.state}>{state.before}</span> : null}
        </>
      }
    >
      <Button isPending={asked || rung.testing} onPress={() => void test()}>
        {t('notify:test')}
      </Button>
      <Menu
        label={t('notify:more', { name })}
        actions={[
          { id: 'edit', label: t('notify:edit'), run: onEdit },
          {
            id: 'switch',
            label: t(rung.enabled ? 'notify:off' : 'notify:on'),
            run: () => onChange({ enabled: !rung.enabled }),
          },
          ...moves,
          { id: 'remove', label: t('notify:remove'), danger: true, run: onRemove },
        ]}
      >
        <IconButton label={t('notify:more', { name })}>
          <MoreHorizontal aria-hidden />
        </IconButton>
      </Menu>
    </Row>
  );
}
