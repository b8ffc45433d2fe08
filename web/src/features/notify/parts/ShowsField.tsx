import { useT } from '~/i18n';
import { RadioGroup } from '~/ui/RadioGroup';
import { SHOWS, type Shows } from '../api';
import { Preview } from './Preview';

/** How much a notice shows, with what that looks like. */
export function ShowsField({ value, onChange }: { value: Shows | undefined; onChange: (shows: Shows) => void }) {
  const t = useT();
  return (
    <>
      <RadioGroup
        label={t('notify:shows.label')}
        value={value}
        options={SHOWS.map((id) => ({ id, label: t(`notify:shows.${id}`) }))}
        onChange={onChange}
      />
      {value ? <Preview shows={value} /> : <p>{t('notify:shows.mixed')}</p>}
    </>
  );
}
