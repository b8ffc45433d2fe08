import { File as AnyFile, ImagePlus, Paperclip } from 'lucide-react';
import { chooseFiles } from '~/features/files';
import { useT } from '~/i18n';
import { IconButton } from '~/ui/Button';
import { Menu } from '~/ui/Menu';
import { takeFiles } from '../attach';
import { focusComposer } from '../ui';

/** Pictures or any files. For pictures alone a phone shows its camera and its gallery. */
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
  const take = (files: File[]) => {
    void takeFiles(conversation, files);
    // Enter sends what was chosen; under a finger the keyboard would cover it.
    if (!window.matchMedia('(pointer: coarse)').matches) focusComposer();
  };
  return (
    <Menu
      label={t('chat:composer.attach')}
      open={open}
      onOpenChange={onOpen}
      actions={[
        {
          id: 'pictures',
          label: t('files:choose.pictures'),
          icon: <ImagePlus aria-hidden />,
          run: () => chooseFiles('image/*', take),
        },
        {
          id: 'files',
          label: t('files:choose.files'),
          icon: <AnyFile aria-hidden />,
          run: () => chooseFiles(undefined, take),
        },
      ]}
    >
      <IconButton label={t('chat:composer.attach')}>
        <Paperclip aria-hidden />
      </IconButton>
    </Menu>
  );
}
