import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { asAppError } from '~/api/client';
import type { Asking } from '~/api/types';
import { now } from '~/core/clock';
import { useErrorText, useLocale, useT } from '~/i18n';
import { listTime } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { PagedList, usePages } from '~/ui/PagedList';
import { Row, Rows, Section } from '~/ui/Section';
import { toast } from '~/ui/Toast';
import { decideRequest, manageKey, readRequests } from '../../manage';
import { useManaged } from './Manage';

/** Who waits to be let in, the longest wait first. */
export function Requests() {
  const t = useT();
  const locale = useLocale();
  const errorText = useErrorText();
  const queries = useQueryClient();
  const org = useManaged();
  const id = org?.id ?? '';
  const [busy, setBusy] = useState<string>();
  const key = manageKey(id, 'requests');
  const list = usePages(key, (cursor) => readRequests(id, cursor));
  const decide = async (request: Asking, approve: boolean) => {
    setBusy(request.id);
    try {
      await decideRequest(id, request.id, approve);
      toast(
        approve
          ? t('directory:requests.approved', { name: request.name })
          : t('directory:requests.refused', { name: request.name }),
      );
    } catch (error) {
      toast(errorText(asAppError(error)));
    }
    setBusy(undefined);
    // Somebody else may have decided it in the meantime.
    await queries.invalidateQueries({ queryKey: key });
  };
  return (
    <Section title={t('directory:manage.requests')} text={t('directory:requests.text')}>
      <PagedList list={list} rows={3} empty={t('directory:requests.none')}>
        {(items) => (
          <Rows>
            {items.map((r) => (
              <Row
                key={r.id}
                words={r.name}
                below={[
                  listTime(locale, r.at, now()),
                  r.label ? t('directory:requests.by', { label: r.label }) : undefined,
                  r.returning ? t('directory:requests.returning') : undefined,
                ]
                  .filter(Boolean)
                  .join(' · ')}
              >
                <Button isDisabled={busy === r.id} onPress={() => void decide(r, false)}>
                  {t('directory:requests.refuse')}
                </Button>
                <Button kind="primary" isDisabled={busy === r.id} onPress={() => void decide(r, true)}>
                  {t('directory:requests.approve')}
                </Button>
              </Row>
            ))}
          </Rows>
        )}
      </PagedList>
    </Section>
  );
}
