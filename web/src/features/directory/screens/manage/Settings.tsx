import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { Org } from '~/api/types';
import { needProof, useProof } from '~/features/identity';
import { NoticePreview } from '~/features/notify';
import { useLocale, useT } from '~/i18n';
import { fullTime } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { FailedState } from '~/ui/EmptyState';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { Row, Rows, Section } from '~/ui/Section';
import { Select } from '~/ui/Select';
import { SkeletonRows } from '~/ui/Skeleton';
import { toast } from '~/ui/Toast';
import { Toggle } from '~/ui/Toggle';
import { useSubmit } from '~/ui/useSubmit';
import { changeSettings, exportAddress, keepOrg, manageKey, readSettings, renameOrg } from '../../manage';
import { CloseDialog } from '../../parts/CloseDialog';
import { HandOverDialog } from '../../parts/HandOverDialog';
import { useManaged } from './Manage';

export function Settings() {
  const org = useManaged();
  if (!org) return null;
  return (
    <>
      <Name key={org.name} org={org} />
      <Rules org={org} />
      <Guests org={org} />
      {org.role === 'owner' ? <Owning org={org} /> : null}
    </>
  );
}

function Name({ org }: { org: Org }) {
  const t = useT();
  const [name, setName] = useState(org.name);
  const { submit, pending, at, general } = useSubmit(async () => {
    await renameOrg(org.id, name.trim());
    toast(t('directory:settings.renamed'));
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return (
    <Section title={t('directory:settings.name')}>
      <form className={form.form} onSubmit={onSubmit}>
        <Field
          label={t('onboarding:create.name')}
          value={name}
          onChange={setName}
          error={at('name') ?? general('name')}
          maxLength={100}
          isRequired
        />
        {name.trim() !== '' && name.trim() !== org.name ? (
          <Button kind="primary" type="submit" isPending={pending}>
            {t('common:save')}
          </Button>
        ) : null}
      </form>
    </Section>
  );
}

const MINUTES = ['0', '10', '60', '480'] as const;
const SHOWS = ['full', 'sender', 'bare'] as const;

/** What an organisation sets for itself, and changing some of it. */
function useRules(org: Org) {
  const t = useT();
  const queries = useQueryClient();
  const { prove, dialog } = useProof();
  const key = manageKey(org.id, 'settings');
  const settings = useQuery({ queryKey: key, queryFn: () => readSettings(org.id), staleTime: 0 });
  const change = useSubmit(async (body: Parameters<typeof changeSettings>[1]) => {
    await prove(() => changeSettings(org.id, body));
    toast(t('directory:settings.saved'));
    await queries.invalidateQueries({ queryKey: key });
  });
  return { settings, change, dialog };
}

function Rules({ org }: { org: Org }) {
  const t = useT();
  const { settings, change, dialog } = useRules(org);
  const shows = settings.data?.shows ?? 'full';
  const minutes = String(settings.data?.step_up_minutes ?? 0);
  const known = (MINUTES as readonly string[]).includes(minutes) ? [] : [minutes];
  const label = (m: string) =>
    m === '0' ? t('directory:settings.step_up_off') : t('directory:settings.step_up_minutes', { count: Number(m) });
  return (
    <Section title={t('directory:settings.rules')}>
      {settings.isError ? (
        <FailedState error={settings.error} retry={() => void settings.refetch()} />
      ) : !settings.data ? (
        <SkeletonRows rows={2} />
      ) : (
        <Rows>
          <Row words={t('directory:settings.invite_by')} below={t('directory:settings.invite_by_text')}>
            <Select
              label={t('directory:settings.invite_by')}
              value={settings.data.invite_by ?? 'admins'}
              options={[
                { id: 'admins', label: t('directory:settings.admins') },
                { id: 'members', label: t('directory:settings.everyone') },
              ]}
              onChange={(invite_by) => void change.submit({ invite_by })}
            />
          </Row>
          <Row words={t('directory:settings.step_up')} below={t('directory:settings.step_up_text')}>
            <Select
              label={t('directory:settings.step_up')}
              value={minutes}
              options={[...MINUTES, ...known].map((id) => ({ id, label: label(id) }))}
              onChange={(m) => void change.submit({ step_up_minutes: Number(m) })}
            />
          </Row>
          <Row words={t('directory:settings.shows')} below={t('directory:settings.shows_text')}>
            <Select
              label={t('directory:settings.shows')}
              value={shows}
              options={SHOWS.map((id) => ({ id, label: t(`directory:settings.shows_of.${id}`) }))}
              onChange={(shows) => void change.submit({ shows })}
            />
          </Row>
        </Rows>
      )}
      {settings.data ? <NoticePreview shows={shows} /> : null}
      <FormError>{change.general()}</FormError>
      {dialog}
    </Section>
  );
}

/** Who may let strangers in, and what those may send. */
function Guests({ org }: { org: Org }) {
  const t = useT();
  const { settings, change, dialog } = useRules(org);
  // Whether it can be read is said once, above.
  if (!settings.data) return null;
  return (
    <Section title={t('directory:settings.guests')}>
      <Rows>
        <Row words={t('directory:settings.guest_links_by')} below={t('directory:settings.guest_links_by_text')}>
          <Select
            label={t('directory:settings.guest_links_by')}
            value={settings.data.guest_links_by ?? 'members'}
            options={[
              { id: 'members', label: t('directory:settings.everyone') },
              { id: 'admins', label: t('directory:settings.admins') },
              { id: 'nobody', label: t('directory:settings.nobody') },
            ]}
            onChange={(guest_links_by) => void change.submit({ guest_links_by })}
          />
        </Row>
      </Rows>
      <Toggle on={settings.data.guest_files ?? true} onChange={(guest_files) => void change.submit({ guest_files })}>
        {t('directory:settings.guest_files')}
      </Toggle>
      <p className={form.hint}>{t('directory:settings.guest_files_text')}</p>
      <FormError>{change.general()}</FormError>
      {dialog}
    </Section>
  );
}

/** What only an owner decides: who owns it, what leaves it, when it ends. */
function Owning({ org }: { org: Org }) {
  const t = useT();
  const locale = useLocale();
  const { prove, dialog } = useProof();
  const [task, setTask] = useState<'handover' | 'close'>();
  const keep = useSubmit(async () => {
    await prove(() => keepOrg(org.id));
    toast(t('directory:closing.kept'));
  });
  return (
    <Section title={t('directory:settings.owning')}>
      {org.closing_at ? (
        <p className={form.notice} role="status">
          {t('directory:closing.at', { when: fullTime(locale, org.closing_at) })}
        </p>
      ) : null}
      <Rows>
        <Row words={t('directory:handover.title')} below={t('directory:handover.text')}>
          <Button onPress={() => setTask('handover')}>{t('directory:handover.open')}</Button>
        </Row>
        <Row words={t('directory:export.title')} below={t('directory:export.text')}>
          <ExportButton org={org} />
        </Row>
        <Row words={t('directory:closing.title')} below={t('directory:closing.text')}>
          {org.closing_at ? (
            <Button kind="primary" isPending={keep.pending} onPress={() => void keep.submit()}>
              {t('directory:closing.keep')}
            </Button>
          ) : (
            <Button kind="danger" onPress={() => setTask('close')}>
              {t('directory:closing.open')}
            </Button>
          )}
        </Row>
      </Rows>
      <FormError>{keep.general()}</FormError>
      {task === 'handover' ? <HandOverDialog org={org} onClose={() => setTask(undefined)} /> : null}
      {task === 'close' ? <CloseDialog org={org} onClose={() => setTask(undefined)} /> : null}
      {dialog}
    </Section>
  );
}

/** The browser fetches the file by itself and could answer no question, so the proof is asked for before. */
function ExportButton({ org }: { org: Org }) {
  const t = useT();
  const { prove, dialog } = useProof();
  const { submit, pending, general } = useSubmit(async () => {
    await prove(needProof);
    window.location.assign(exportAddress(org.id));
  });
  return (
    <>
      <Button isPending={pending} onPress={() => void submit()}>
        {t('directory:export.get')}
      </Button>
      <FormError>{general()}</FormError>
      {dialog}
    </>
  );
}
