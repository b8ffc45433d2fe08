import { TriangleAlert, X } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { asAppError } from '~/api/client';
import { uuidv7 } from '~/core/uuid';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Choice } from '~/ui/Choice';
import { Dialog } from '~/ui/Dialog';
import { EmptyState } from '~/ui/EmptyState';
import { FormError } from '~/ui/FormError';
import { Marks } from '~/ui/Marks';
import { SearchField } from '~/ui/SearchField';
import { SkeletonRows } from '~/ui/Skeleton';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import { startDirect } from '../actions';
import { forward } from '../api';
import { chat } from '../store';
import { chatUi, stopSelecting } from '../ui';
import styles from './ForwardDialog.module.css';
import { type Target, useTargets } from './useTargets';

/** As many conversations as one forwarding goes to. */
const MAX_TARGETS = 20;

/** Chooses where messages go; what leaves the organisation asks once more, with the reason. */
export function ForwardDialog() {
  const t = useT();
  const forwarding = useStore(chatUi, (s) => s.forwarding);
  const [picked, setPicked] = useState<Target[]>([]);
  const [how, setHow] = useState<'one' | 'combined'>('one');
  const [outside, setOutside] = useState<Outside>();
  const close = () => chatUi.setState({ forwarding: undefined });
  const { submit, pending, general } = useForward(picked, how === 'combined', setOutside);
  if (!forwarding) return null;
  if (outside) {
    return (
      <Dialog
        open
        alert
        title={t('chat:forward.outside_title')}
        onClose={() => setOutside(undefined)}
        actions={
          <>
            <Button onPress={() => setOutside(undefined)}>{t('common:back')}</Button>
            <Button kind="danger" isPending={pending} onPress={() => void submit(true)}>
              {t('chat:forward.outside_confirm')}
            </Button>
          </>
        }
      >
        <p className={styles.pause}>
          <TriangleAlert aria-hidden size={20} />
          {t('chat:forward.outside_text', { org: outside.org, where: outside.names.join(t('chat:title.join')) })}
        </p>
        <FormError>{general()}</FormError>
      </Dialog>
    );
  }
  const several = forwarding.seqs.length > 1;
  return (
    <Dialog
      open
      tall
      title={t('chat:forward.title', { count: forwarding.seqs.length })}
      onClose={close}
      actions={
        <>
          <Button onPress={close}>{t('common:cancel')}</Button>
          <Button
            kind="primary"
            isDisabled={picked.length === 0}
            isPending={pending}
            onPress={() => void submit(false)}
          >
            {t('chat:forward.send', { count: picked.length })}
          </Button>
        </>
      }
    >
      {several ? (
        <Choice
          label={t('chat:forward.how')}
          value={how}
          options={[
            { id: 'one', label: t('chat:forward.one') },
            { id: 'combined', label: t('chat:forward.combined') },
          ]}
          onChange={setHow}
        />
      ) : null}
      <Targets picked={picked} onChange={setPicked} />
      <FormError>{general()}</FormError>
    </Dialog>
  );
}

interface Outside {
  org: string;
  names: string[];
}

function useForward(picked: readonly Target[], combined: boolean, ask: (outside: Outside) => void) {
  const t = useT();
  const forwarding = useStore(chatUi, (s) => s.forwarding);
  // On any doubt the same request goes again under the same name, and nothing is doubled; another request is another one.
  const request = JSON.stringify([forwarding, picked.map((p) => p.id), combined]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: one name for each request
  const client_id = useMemo(() => uuidv7(), [request]);
  return useSubmit(async (outside_confirmed: boolean) => {
    if (!forwarding) return;
    const to = await Promise.all(picked.map(conversationOf));
    try {
      await forward(forwarding.conversation, {
        client_id,
        seqs: [...forwarding.seqs],
        to,
        combined,
        outside_confirmed,
      });
    } catch (error) {
      const { code, context } = asAppError(error);
      if (code !== 'outside_confirm_required') throw error;
      const asked = Array.isArray(context.conversations) ? context.conversations : [];
      const names = picked.filter((_, i) => asked.includes(to[i])).map((p) => p.name);
      return ask({ org: String(context.org_name ?? ''), names });
    }
    chatUi.setState({ forwarding: undefined });
    stopSelecting();
    toast(t('chat:forward.done', { count: to.length }));
  });
}

/** With a colleague one never wrote to, the conversation begins with this. */
async function conversationOf(target: Target): Promise<string> {
  const id = target.id.slice(2);
  if (target.id.startsWith('c:')) return id;
  const held = Object.values(chat.getState().conversations).find((c) => c.kind === 'direct' && c.peer === id);
  return held?.id ?? (await startDirect(id)).id;
}

function Targets({ picked, onChange }: { picked: Target[]; onChange: (picked: Target[]) => void }) {
  const t = useT();
  const [query, setQuery] = useState('');
  const { targets, loading } = useTargets(query);
  const chosen = new Set(picked.map((p) => p.id));
  const full = picked.length >= MAX_TARGETS;
  const flip = (target: Target) =>
    onChange(chosen.has(target.id) ? picked.filter((p) => p.id !== target.id) : [...picked, target]);
  return (
    <>
      {picked.length > 0 ? (
        <ul className={styles.chips} aria-label={t('chat:forward.chosen')}>
          {picked.map((p) => (
            <li key={p.id}>
              <button type="button" className={styles.chip} onClick={() => flip(p)}>
                {p.name}
                <X aria-hidden size={12} />
              </button>
            </li>
          ))}
        </ul>
      ) : null}
      <SearchField label={t('chat:forward.search')} value={query} onChange={setQuery} />
      {full ? <p className={styles.note}>{t('chat:forward.full', { count: MAX_TARGETS })}</p> : null}
      {targets.length > 0 ? (
        <ul className={styles.list} aria-label={t('chat:forward.targets')}>
          {targets.map((target) => (
            <li key={target.id}>
              <label className={styles.option}>
                <input
                  type="checkbox"
                  checked={chosen.has(target.id)}
                  disabled={full && !chosen.has(target.id)}
                  onChange={() => flip(target)}
                />
                {target.picture}
                <span className={styles.words}>
                  <span className={styles.name}>{target.name}</span>
                  {target.below ? <span className={styles.note}>{target.below}</span> : null}
                </span>
                <Marks of={target} />
              </label>
            </li>
          ))}
        </ul>
      ) : loading ? (
        <SkeletonRows rows={4} />
      ) : (
        <EmptyState title={t('chat:forward.none')} />
      )}
    </>
  );
}
