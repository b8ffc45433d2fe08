import { useQuery, useQueryClient } from '@tanstack/react-query';
import { asAppError } from '~/api/client';
import { OWN_REQUESTS } from '~/api/query';
import { now } from '~/core/clock';
import { useErrorText, useLocale, useT } from '~/i18n';
import { listTime } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { Row, Rows, Section } from '~/ui/Section';
import { toast } from '~/ui/Toast';
import { readOwnRequests, withdrawRequest } from '../api';

/** Organisations that have not said yes yet; nothing where there are none. */
export function OwnRequests() {
  const t = useT();
  const locale = useLocale();
  const errorText = useErrorText();
  const queries = useQueryClient();
  const requests = useQuery({ queryKey: OWN_REQUESTS, queryFn: readOwnRequests, staleTime: 0 });
  const open = requests.data?.items.filter((r) => r.state === 'pending') ?? [];
  if (open.length === 0) return null;
  const withdraw = async (id: string) => {
    try {
      await withdrawRequest(id);
      toast(t('directory:pending.withdrawn'));
    } catch (error) {
      toast(errorText(asAppError(error)));
    }
    await queries.invalidateQueries({ queryKey: OWN_REQUESTS });
  };
  return (
    <Section title={t('directory:pending.title')}>
      <Rows>
        {open.map((r) => (
          <Row
            key={r.id}
            words={r.org.name}
            below={t('directory:pending.text', { when: listTime(locale, r.at, now()) })}
          >
            <Button onPress={() => void withdraw(r.id)}>{t('directory:pending.withdraw')}</Button>
          </Row>
        ))}
      </Rows>
    </Section>
  );
}
