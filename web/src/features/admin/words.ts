import i18next from 'i18next';
import { useCallback } from 'react';
import type { HealthItem } from '~/api/types';
import { useT } from '~/i18n';

/**
 * What was seen and what to do, in the person's words. A server may find what this client has no words for yet: its own
 * say it in English.
 */
export function useHealthWords(): (item: HealthItem) => { name: string; seen: string; fix: string } {
  const t = useT();
  return useCallback(
    (item) => {
      const say = (key: string, otherwise: string) =>
        i18next.exists(key) ? String(t(key as 'errors:internal', item.values as Record<string, unknown>)) : otherwise;
      const about = `${item.check}_${item.reason}`;
      return {
        name: say(`admin:check.${item.check}`, item.check),
        seen: say(
          item.reason === 'late' && !item.values.minutes ? 'admin:seen.late' : `admin:seen.${about}`,
          item.seen,
        ),
        fix: item.fix ? say(`admin:fix.${about}`, item.fix) : '',
      };
    },
    [t],
  );
}
