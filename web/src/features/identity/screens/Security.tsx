import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useT } from '~/i18n';
import { FailedState } from '~/ui/EmptyState';
import form from '~/ui/form.module.css';
import { InnerPage } from '~/ui/InnerPage';
import { SkeletonRows } from '~/ui/Skeleton';
import { readMe } from '../api';
import { ContactsPart } from '../parts/ContactsPart';
import { PasskeysPart } from '../parts/PasskeysPart';
import { PasswordPart } from '../parts/PasswordPart';
import { TotpPart } from '../parts/TotpPart';
import { useProof } from '../parts/useProof';

export const ME = ['me'];

/** How one gets in, and gets back in. */
export function Security() {
  const t = useT();
  const queries = useQueryClient();
  const me = useQuery({ queryKey: ME, queryFn: readMe, staleTime: 0 });
  const { prove, dialog } = useProof();
  const changed = () => queries.invalidateQueries({ queryKey: ME });
  return (
    <InnerPage title={t('identity:security.title')} back={{ to: '/me' }}>
      {me.isError ? (
        <FailedState error={me.error} retry={() => void me.refetch()} />
      ) : !me.data ? (
        <SkeletonRows rows={4} />
      ) : (
        <>
          <WaysIn
            none={!me.data.credentials.password && me.data.credentials.passkeys === 0 && !me.data.credentials.pin}
          />
          <PasswordPart me={me.data} prove={prove} onChanged={changed} />
          <PasskeysPart prove={prove} onChanged={changed} />
          <TotpPart me={me.data} prove={prove} onChanged={changed} />
          <ContactsPart contacts={me.data.contacts} prove={prove} onChanged={changed} />
        </>
      )}
      {dialog}
    </InnerPage>
  );
}

/** Whoever joined with a name alone loses the account with this device. */
function WaysIn({ none }: { none: boolean }) {
  const t = useT();
  if (!none) return null;
  return (
    <p className={form.notice} role="status">
      {t('identity:security.only_here')}
    </p>
  );
}
