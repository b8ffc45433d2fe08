import { Printer } from 'lucide-react';
import type { Invitation } from '~/api/types';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Poster } from '~/ui/Poster';
import { usePoster } from './invitation';

/** The door to the printer, for pages that show an invitation. */
export function InvitationPoster({ org, invitation }: { org: string; invitation: Invitation }) {
  const t = useT();
  return (
    <>
      <Button wide onPress={() => window.print()}>
        <Printer aria-hidden size={16} />
        {t('directory:invitations.print')}
      </Button>
      <Poster {...usePoster(org, invitation)} />
    </>
  );
}
