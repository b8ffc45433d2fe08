import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Page } from '~/ui/Page';

/** A screen threw: what was written is in the drafts and the outbox. */
export function Crash({ error }: { error: unknown }) {
  const t = useT();
  console.error(error);
  return (
    <Page title={t('common:crash.title')} lead={t('common:crash.text')}>
      <Button kind="primary" onPress={() => location.reload()}>
        {t('common:crash.reload')}
      </Button>
    </Page>
  );
}
