import { useNavigate } from '@tanstack/react-router';
import { ImageUp } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { FileTrigger } from 'react-aria-components/FileTrigger';
import { useStore } from 'zustand';
import { session } from '~/core/store/session';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { readPicture } from '~/ui/decode';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { Page } from '~/ui/Page';
import { type CameraState, mayAskCamera, Scanner } from '~/ui/Scanner';
import { useSubmit } from '~/ui/useSubmit';
import { Result } from '../parts/Result';
import { type Found, whatIs } from '../what';

/** The names under which this server is reached: what the page was opened by, and what the server calls itself. */
function useHosts(): string[] {
  const server = useStore(session, (s) => s.server);
  const own = hostOf(server?.public_url);
  return own && own !== location.host ? [location.host, own] : [location.host];
}

function hostOf(url: string | undefined): string | undefined {
  try {
    return url ? new URL(url).host : undefined;
  } catch {
    return undefined;
  }
}

/** 扫一扫: by camera where one is allowed, else from a picture or typed. What was found is shown before anything opens. */
export function Scan() {
  const t = useT();
  const navigate = useNavigate();
  const hosts = useHosts();
  const [camera, setCamera] = useState<CameraState>(mayAskCamera() ? 'asking' : 'none');
  const [found, setFound] = useState<Found>();
  const [text, setText] = useState('');
  const [nothing, setNothing] = useState(false);
  const take = (raw: string) => {
    setNothing(false);
    setFound(whatIs(raw, hosts));
  };
  const picture = useSubmit(async (file: File) => {
    setNothing(false);
    const raw = await readPicture(file);
    if (raw === undefined) setNothing(true);
    else take(raw);
  });
  const typed = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim()) take(text);
  };
  if (found) return <Result found={found} onAgain={() => setFound(undefined)} />;
  const seen = camera === 'asking' || camera === 'on';
  return (
    <Page title={t('scan:title')} lead={t(seen ? 'scan:lead' : 'scan:lead_no_camera')}>
      {seen ? <Scanner label={t('scan:camera')} onFound={take} onState={setCamera} /> : null}
      {seen ? null : (
        <p className={form.notice}>
          {t(camera === 'refused' ? 'scan:refused' : mayAskCamera() ? 'scan:no_camera' : 'scan:not_allowed')}
        </p>
      )}
      <FileTrigger
        acceptedFileTypes={['image/*']}
        onSelect={(files) => {
          const file = files?.[0];
          if (file) void picture.submit(file);
        }}
      >
        <Button wide isPending={picture.pending}>
          <ImageUp aria-hidden size={16} />
          {t(picture.pending ? 'scan:reading' : 'scan:picture')}
        </Button>
      </FileTrigger>
      <FormError>{nothing ? t('scan:nothing') : undefined}</FormError>
      <form className={form.form} onSubmit={typed}>
        <Field
          label={t('scan:type')}
          hint={t('scan:type_hint')}
          value={text}
          onChange={setText}
          autoComplete="off"
          maxLength={2_000}
        />
        <Button wide type="submit" isDisabled={text.trim() === ''}>
          {t('scan:look')}
        </Button>
      </form>
      <Button kind="quiet" onPress={() => void navigate({ to: '/' })}>
        {t('common:back')}
      </Button>
    </Page>
  );
}
