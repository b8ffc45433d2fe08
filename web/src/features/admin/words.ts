import i18next from 'i18next';
import { useCallback } from 'react';
import type { HealthItem } from '~/api/types';
import { useT } from '~/i18n';

/** A word of the wire for a way of reaching people, or for what went wrong with it, as its owner's settings call it. */
function namedAsIn(t: ReturnType<typeof useT>): (word: string) => string {
  return (word) => {
    const key = [`notify:kind.${word}`, `notify:fault.${word}`].find((one) => i18next.exists(one));
    return key ? t(key as 'errors:internal') : word;
  };
}

/** `web_push 3/4, ntfy 0/1` and `ntfy: timed_out` in the person's words; what has none stays as it came. */
function wordsOf({ check, values }: HealthItem, t: ReturnType<typeof useT>): Record<string, unknown> {
  if (check !== 'push') return values;
  const said = (text: string | undefined) => text?.replace(/[a-z_]+/g, namedAsIn(t));
  return { ...values, ways: said(values.ways), last: said(values.last?.replace(': ', ' · ')) };
}

/**
 * What was seen and what to do, in the person's words. A server may find what this client has no words for yet: its own
 * say it in English.
 */
export function useHealthWords(): (item: HealthItem) => { name: string; seen: string; fix: string } {
  const t = useT();
  return useCallback(
    (item) => {
      const values = wordsOf(item, t);
      const say = (key: string, otherwise: string) =>
        i18next.exists(key) ? String(t(key as 'errors:internal', values)) : otherwise;
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
