import { useNavigate } from '@tanstack/react-router';
import { useT } from '~/i18n';
import { CodeForm } from '~/ui/CodeForm';
import { Page } from '~/ui/Page';

export function JoinCode() {
  const t = useT();
  const navigate = useNavigate();
  return (
    <Page title={t('onboarding:join.title')}>
      <CodeForm
        place="join"
        label={t('onboarding:join.code')}
        hint={t('onboarding:join.code_hint')}
        onCode={(code) => void navigate({ to: '/join/$code', params: { code } })}
      />
    </Page>
  );
}
