import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { asAppError, ask, client } from '~/api/client';
import { REST_HOURS } from '~/api/query';
import type { components } from '~/api/schema';
import { useErrorText, useLocale, useT } from '~/i18n';
import { weekdays } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { CheckboxGroup } from '~/ui/Checkbox';
import { Dialog } from '~/ui/Dialog';
import { FailedState } from '~/ui/EmptyState';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import { Row, Rows, Section } from '~/ui/Section';
import { SkeletonRows } from '~/ui/Skeleton';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import styles from './RestHours.module.css';

type Hours = components['schemas']['chat.RestHours'];
type Rest = Hours['hours'][number];

const WORKDAYS = [1, 2, 3, 4, 5];
/** As many as the server keeps. */
const MOST = 20;

const readHours = (): Promise<Hours> => ask(client.GET('/me/rest-hours'));
/** Times are those of the place the person is at now. */
const writeHours = (hours: Rest[]): Promise<Hours> =>
  ask(client.PUT('/me/rest-hours', { body: { zone: Intl.DateTimeFormat().resolvedOptions().timeZone, hours } }));

/** When the person does not want to be disturbed: whoever writes to them sees until when. */
export function RestHours() {
  const t = useT();
  const errorText = useErrorText();
  const queries = useQueryClient();
  const query = useQuery({ queryKey: REST_HOURS, queryFn: readHours });
  const [editing, setEditing] = useState<{ at?: number }>();
  const hours = query.data?.hours ?? [];
  const save = async (next: Rest[]) => {
    queries.setQueryData(REST_HOURS, await writeHours(next));
  };
  const restore = async (next: Rest[]) => {
    try {
      await save(next);
    } catch (error) {
      toast(errorText(asAppError(error)));
    }
  };
  const remove = async (at: number) => {
    await restore(hours.filter((_, i) => i !== at));
    toast(t('settings:rest.removed'), { label: t('common:undo'), run: () => void restore(hours) });
  };
  return (
    <Section title={t('settings:rest.title')} text={t('settings:rest.text')}>
      {query.isError ? (
        <FailedState error={query.error} retry={() => void query.refetch()} />
      ) : query.isPending ? (
        <SkeletonRows rows={1} />
      ) : (
        <>
          <Rows>
            {hours.map((rest, at) => (
              <Row
                // biome-ignore lint/suspicious/noArrayIndexKey: they have no other name
                key={at}
                words={<Words rest={rest} />}
                below={t('settings:rest.zone', { zone: query.data.zone })}
              >
                <Button onPress={() => setEditing({ at })}>{t('settings:rest.edit')}</Button>
                <Button onPress={() => void remove(at)}>{t('settings:rest.remove')}</Button>
              </Row>
            ))}
          </Rows>
          {hours.length < MOST ? <Button onPress={() => setEditing({})}>{t('settings:rest.add')}</Button> : null}
        </>
      )}
      {editing ? (
        <Edit
          rest={editing.at === undefined ? undefined : hours[editing.at]}
          onClose={() => setEditing(undefined)}
          onSave={(rest) =>
            save(editing.at === undefined ? [...hours, rest] : hours.map((old, i) => (i === editing.at ? rest : old)))
          }
        />
      ) : null}
    </Section>
  );
}

function Words({ rest }: { rest: Rest }) {
  const t = useT();
  const names = weekdays(useLocale());
  const days = [...rest.days].sort((a, b) => a - b).map((day) => names[day - 1]);
  const next = rest.to <= rest.from ? ` (${t('settings:rest.next_day')})` : '';
  return (
    <>
      {days.join(' ')} <bdi>{`${rest.from}–${rest.to}`}</bdi>
      {next}
    </>
  );
}

function Edit({
  rest,
  onClose,
  onSave,
}: {
  rest: Rest | undefined;
  onClose: () => void;
  onSave: (rest: Rest) => Promise<void>;
}) {
  const t = useT();
  const names = weekdays(useLocale());
  const [days, setDays] = useState((rest?.days ?? WORKDAYS).map(String));
  const [from, setFrom] = useState(rest?.from ?? '22:00');
  const [to, setTo] = useState(rest?.to ?? '08:00');
  const [tried, setTried] = useState(false);
  const wrong = (time: string) => (/^\d\d:\d\d$/.test(time) ? undefined : t('settings:rest.no_time'));
  const { submit, pending, general } = useSubmit(async () => {
    setTried(true);
    if (days.length === 0 || wrong(from) || wrong(to)) return;
    await onSave({ days: days.map(Number).sort((a, b) => a - b), from, to });
    onClose();
  });
  return (
    <Dialog
      open
      title={t(rest ? 'settings:rest.edit_title' : 'settings:rest.add')}
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" isPending={pending} onPress={() => void submit()}>
            {t('settings:rest.save')}
          </Button>
        </>
      }
    >
      <div className={styles.form}>
        <CheckboxGroup
          label={t('settings:rest.days')}
          value={days}
          options={names.map((label, i) => ({ id: String(i + 1), label }))}
          onChange={setDays}
          error={tried && days.length === 0 ? t('settings:rest.no_days') : undefined}
        />
        <div className={styles.times}>
          <Field
            type="time"
            label={t('settings:rest.from')}
            value={from}
            onChange={setFrom}
            error={tried ? wrong(from) : undefined}
          />
          <Field
            type="time"
            label={t('settings:rest.to')}
            value={to}
            onChange={setTo}
            error={tried ? wrong(to) : undefined}
          />
        </div>
        <FormError>{general()}</FormError>
      </div>
    </Dialog>
  );
}
