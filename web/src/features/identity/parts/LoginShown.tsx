import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { CopyField } from '~/ui/CopyField';
import { Page } from '~/ui/Page';

/** The name to sign in with, which may carry digits: shown once, right after it was made. */
export function LoginShown({ login, onContinue }: { login: string; onContinue: () => void }) {
  const t = useT();
  return (
    <Page title={t('identity:login_shown.title')} lead={t('identity:login_shown.text')}>
      <CopyField label={t('identity:login_shown.label')} text={login} />
      <Button kind="primary" wide autoFocus onPress={onContinue}>
        {t('identity:login_shown.continue')}
      </Button>
    </Page>
  );
}
