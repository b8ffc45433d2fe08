import { File as AnyFile, Camera, ImagePlus, Paperclip } from 'lucide-react';
import { chooseFiles } from '~/features/files';
import { useT } from '~/i18n';
import { IconButton } from '~/ui/Button';
import { Menu } from '~/ui/Menu';
import { type Taking, takeFiles } from '../attach';
import { focusComposer } from '../ui';

/** Pictures or any files; on a phone also what its camera sees now. */
export function AttachButton({
  conversation,
  open,
  onOpen,
}: {
  conversation: string;
  open: boolean;
  onOpen: (open: boolean) => void;
}) {
  const t = useT();
  const finger = window.matchMedia('(pointer: coarse)').matches;
  const take = (how: Taking) => (files: File[]) => {
    void takeFiles(conversation, files, how);
    // Enter sends what was chosen; under a finger the keyboard would cover it.
    if (!finger) focusComposer();
  };
  return (
    <Menu
      label={t('chat:composer.attach')}
      open={open}
      onOpenChange={onOpen}
      actions={[
        ...(finger
          ? [
              {
                id: 'camera',
                label: t('files:choose.camera'),
                icon: <Camera aria-hidden />,
                run: () => chooseFiles('image/*', take({ camera: true }), true),
              },
            ]
          : []),
        {
          id: 'pictures',
          label: t('files:choose.pictures'),
          icon: <ImagePlus aria-hidden />,
          run: () => chooseFiles('image/*', take({})),
        },
        {
          id: 'files',
          label: t('files:choose.files'),
          icon: <AnyFile aria-hidden />,
          run: () => chooseFiles(undefined, take({ exact: true })),
        },
      ]}
    >
      <IconButton label={t('chat:composer.attach')}>
        <Paperclip aria-hidden />
      </IconButton>
    </Menu>
  );
}
