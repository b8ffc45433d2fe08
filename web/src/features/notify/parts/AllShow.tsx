import { useQueryClient } from '@tanstack/react-query';
import { LADDER as LADDER_KEY } from '~/api/query';
import { useT } from '~/i18n';
import { FormError } from '~/ui/FormError';
import { Section } from '~/ui/Section';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import { changeRung, type Ladder, type Shows } from '../api';
import styles from './parts.module.css';
import { ShowsField } from './ShowsField';

/** How much every rung shows, at once; each can be set apart by its own menu. */
export function AllShow({ ladder }: { ladder: Ladder }) {
  const t = useT();
  const queries = useQueryClient();
  const [first, ...others] = ladder.rungs.map((rung) => rung.shows);
  const same = first !== undefined && others.every((shows) => shows === first) ? first : undefined;
  const { submit, pending, general } = useSubmit(async (shows: Shows) => {
    try {
      for (const rung of ladder.rungs) if (rung.shows !== shows) await changeRung(rung.id, { shows });
      toast(t('notify:shows.saved'));
    } finally {
      await queries.invalidateQueries({ queryKey: LADDER_KEY });
    }
  });
  return (
    <Section title={t('notify:shows.label')} text={t('notify:shows.text')}>
      <div className={styles.form} aria-busy={pending}>
        <ShowsField value={same} onChange={(shows) => void submit(shows)} />
        <FormError>{general()}</FormError>
      </div>
    </Section>
  );
}
