import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Passkey } from '~/api/types';
import { now } from '~/core/clock';
import { useLocale, useT } from '~/i18n';
import { listTime } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { Confirm } from '~/ui/Dialog';
import { FailedState } from '~/ui/EmptyState';
import { FormError } from '~/ui/FormError';
import { Row, Rows, Section } from '~/ui/Section';
import { SkeletonRows } from '~/ui/Skeleton';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import { addPasskey, readPasskeys, removePasskey } from '../api';
import { deviceName } from '../device';
import { passkeysHere } from '../passkey';
import type { Prove } from './PasswordPart';

const KEY = ['passkeys'];

/** Faces, fingers and codes of devices that open this account. */
export function PasskeysPart({ prove, onChanged }: { prove: Prove; onChanged: () => void }) {
  const t = useT();
  const locale = useLocale();
  const queries = useQueryClient();
  const passkeys = useQuery({ queryKey: KEY, queryFn: readPasskeys, staleTime: 0 });
  const [going, setGoing] = useState<Passkey>();
  const refresh = () => {
    onChanged();
    return queries.invalidateQueries({ queryKey: KEY });
  };
  const add = useSubmit(async () => {
    await prove(() => addPasskey(deviceName(navigator.userAgent) ?? ''));
    toast(t('identity:passkeys.added'));
    await refresh();
  });
  const remove = useSubmit(async (passkey: Passkey) => {
    await prove(() => removePasskey(passkey.id));
    toast(t('identity:passkeys.removed'));
    await refresh();
  });
  return (
    <Section title={t('identity:passkeys.title')} text={t('identity:passkeys.text')}>
      {passkeys.isError ? (
        <FailedState error={passkeys.error} retry={() => void passkeys.refetch()} />
      ) : !passkeys.data ? (
        <SkeletonRows rows={1} />
      ) : (
        <Rows>
          {passkeys.data.items.map((p) => (
            <Row
              key={p.id}
              words={p.name || t('settings:unknown_device')}
              below={
                p.last_used_at
                  ? t('identity:passkeys.used', { when: listTime(locale, p.last_used_at, now()) })
                  : t('identity:passkeys.made', { when: listTime(locale, p.created_at, now()) })
              }
            >
              <Button onPress={() => setGoing(p)}>{t('identity:passkeys.remove')}</Button>
            </Row>
          ))}
        </Rows>
      )}
      <FormError>{add.general() ?? remove.general()}</FormError>
      {passkeysHere() ? (
        <Button isPending={add.pending} onPress={() => void add.submit()}>
          {t('identity:passkeys.add')}
        </Button>
      ) : (
        <p>{t('identity:passkeys.not_here')}</p>
      )}
      <Confirm
        open={Boolean(going)}
        onClose={() => setGoing(undefined)}
        onConfirm={() => going && void remove.submit(going)}
        title={t('identity:passkeys.remove_title')}
        confirm={t('identity:passkeys.remove')}
      >
        {t('identity:passkeys.remove_text', { name: going?.name ?? '' })}
      </Confirm>
    </Section>
  );
}
