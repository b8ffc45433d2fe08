import { Camera, Pause, Play, RotateCw, X } from 'lucide-react';
import { useState } from 'react';
import { useStore } from 'zustand';
import type { Chip } from '~/features/files';
import { type Attached, bytesText, chooseFiles, FileIcon, FileName, pictureUrl } from '~/features/files';
import { useErrorText, useLocale, useT } from '~/i18n';
import { Button, IconButton } from '~/ui/Button';
import { cx } from '~/ui/cx';
import styles from '~/ui/files/Tray.module.css';
import { detach, pauseFile, previewOf, removeChip, resumeFile, takeFiles, takeOriginals } from '../attach';
import type { Draft } from '../store';
import { chatUi, putTray, type Tray } from '../ui';

/** What goes along with the message: what is there already, what is on its way, and what was not taken. */
export function AttachTray({
  conversation,
  draft,
  editing,
  onChange,
}: {
  conversation: string;
  draft: Draft;
  editing: boolean;
  onChange: (draft: Draft) => void;
}) {
  const t = useT();
  const all = useStore(chatUi, (s) => s.trays[conversation]);
  const tray = editing ? undefined : all;
  const lines = [...(tray?.refused ?? []), ...(draft.files?.length ? (tray?.traced ?? []) : [])];
  return (
    <div className={styles.tray} data-testid="tray">
      {lines.length > 0 ? (
        <div className={styles.refused} role="alert">
          <span>
            {lines.map((why) => (
              <span key={why} className={styles.why}>
                {why}
              </span>
            ))}
          </span>
          <IconButton label={t('common:close')} onPress={() => putTray(conversation, { refused: [], traced: [] })}>
            <X aria-hidden />
          </IconButton>
        </div>
      ) : null}
      <ul className={styles.row} aria-label={t('files:tray')}>
        {draft.files?.map((f) => (
          <Ready key={f.file} file={f} onRemove={() => detach(conversation, draft, f, onChange)} />
        ))}
        {tray?.chips.map((c) => (
          <OnItsWay key={c.key} chip={c} />
        ))}
        {tray?.camera ? <Another conversation={conversation} /> : null}
      </ul>
      {tray ? <Smaller conversation={conversation} tray={tray} files={draft.files ?? []} /> : null}
      {tray?.armed ? (
        <p className={styles.armed} role="status">
          {t('files:armed')}
        </p>
      ) : null}
    </div>
  );
}

/** Cameras give one picture at a time. */
function Another({ conversation }: { conversation: string }) {
  const t = useT();
  const take = (files: File[]) => void takeFiles(conversation, files, { camera: true });
  return (
    <li className={styles.another}>
      <IconButton label={t('files:choose.another')} onPress={() => chooseFiles('image/*', take, true)}>
        <Camera aria-hidden />
      </IconButton>
    </li>
  );
}

/** That photographs go smaller than they were taken, and the way back. */
function Smaller({ conversation, tray, files }: { conversation: string; tray: Tray; files: readonly Attached[] }) {
  const t = useT();
  const locale = useLocale();
  if (tray.preparing > 0) {
    return (
      <p className={styles.armed} role="status">
        {t('files:photos.preparing')}
      </p>
    );
  }
  const sum = (sizes: number[]) =>
    bytesText(
      locale,
      sizes.reduce((all, one) => all + one, 0),
    );
  const small = [
    ...files.map((f) => ({ original: tray.originals[f.file], size: f.size ?? 0 })),
    ...tray.chips.map((c) => ({ original: tray.originals[c.preview ?? ''], size: c.size })),
  ].flatMap(({ original, size }) => (original ? [{ size, was: original.size }] : []));
  if (small.length === 0) return null;
  return (
    <p className={styles.smaller}>
      <span>{t('files:photos.smaller', { size: sum(small.map((s) => s.size)) })}</span>
      <Button kind="quiet" onPress={() => void takeOriginals(conversation)}>
        {t('files:photos.originals', { size: sum(small.map((s) => s.was)) })}
      </Button>
    </p>
  );
}

function Ready({ file: f, onRemove }: { file: Attached; onRemove: () => void }) {
  const t = useT();
  const locale = useLocale();
  const name = f.name ?? '';
  return (
    <li className={styles.chip}>
      <Thumb
        {...(f.type === 'image' ? { src: previewOf(f.file) ?? pictureUrl(f.file, 320), colour: f.colour ?? '' } : {})}
        mime={f.mime ?? ''}
        name={name}
      />
      <span className={styles.words}>
        <FileName name={name} />
        <span className={styles.state}>{bytesText(locale, f.size ?? 0)}</span>
      </span>
      <IconButton label={t('files:remove', { name })} onPress={onRemove}>
        <X aria-hidden />
      </IconButton>
    </li>
  );
}

function OnItsWay({ chip: c }: { chip: Chip }) {
  const t = useT();
  const part = c.size > 0 ? Math.min(1, c.sent / c.size) : 1;
  const { name } = c;
  return (
    <li className={cx(styles.chip, c.state === 'failed' && styles.failed)} data-state={c.state}>
      <Thumb {...(c.preview ? { src: c.preview } : {})} mime="" name={name} />
      <span className={styles.words}>
        <FileName name={name} />
        <State chip={c} part={part} />
        <span
          className={styles.track}
          role="progressbar"
          aria-label={t('files:progress', { name })}
          aria-valuenow={Math.round(part * 100)}
        >
          <span className={styles.bar} style={{ width: `${part * 100}%` }} />
        </span>
      </span>
      {(c.state === 'sending' || c.state === 'queued') && part < 1 ? (
        <IconButton label={t('files:pause', { name })} onPress={() => pauseFile(c.key)}>
          <Pause aria-hidden />
        </IconButton>
      ) : null}
      {c.state === 'paused' ? (
        <IconButton label={t('files:resume', { name })} onPress={() => resumeFile(c.key)}>
          <Play aria-hidden />
        </IconButton>
      ) : null}
      {c.state === 'failed' || c.state === 'waiting' ? (
        <IconButton label={t('files:retry', { name })} onPress={() => resumeFile(c.key)}>
          <RotateCw aria-hidden />
        </IconButton>
      ) : null}
      <IconButton label={t('files:remove', { name })} onPress={() => removeChip(c.key)}>
        <X aria-hidden />
      </IconButton>
    </li>
  );
}

function State({ chip: c, part }: { chip: Chip; part: number }) {
  const t = useT();
  const locale = useLocale();
  const errorText = useErrorText();
  const size = bytesText(locale, c.size);
  if (c.state === 'failed') {
    return (
      <span className={styles.wrong} role="alert">
        {c.error ? errorText(c.error) : t('files:state.failed')}
      </span>
    );
  }
  const text = {
    queued: t('files:state.queued', { size }),
    sending: part < 1 ? t('files:state.sending', { size, percent: Math.round(part * 100) }) : t('files:state.checking'),
    waiting: t('files:state.waiting'),
    paused: t('files:state.paused', { size }),
    checking: t('files:state.checking'),
    ready: size,
  }[c.state];
  return <span className={styles.state}>{text}</span>;
}

function Thumb({ src, colour, mime, name }: { src?: string; colour?: string; mime: string; name: string }) {
  const [broken, setBroken] = useState(false);
  return (
    <span className={styles.thumb} style={colour ? { backgroundColor: colour } : {}}>
      {src && !broken ? <img src={src} alt="" onError={() => setBroken(true)} /> : <FileIcon mime={mime} name={name} />}
    </span>
  );
}
