import { Pause, Play, RotateCw, X } from 'lucide-react';
import { useState } from 'react';
import { useStore } from 'zustand';
import { bytesText } from '~/core/files/bytes';
import type { Attached, Chip } from '~/core/files/tray';
import { cx } from '~/ui/cx';
import { FileIcon } from '~/ui/files/FileIcon';
import { FileName } from '~/ui/files/FileName';
import styles from '~/ui/files/Tray.module.css';
import { useLanguage, useT } from '../i18n';
import { type GuestTray, tray } from '../tray';
import { detach, pause, previewOf, removeChip, resume } from './attach';
import own from './files.module.css';
import { Key } from './Key';
import { usePicture } from './usePicture';
import { isFinal, useWhyNot } from './words';

const REFUSED = {
  too_many: 'files:refused.too_many',
  too_large: 'files:refused.too_large',
  no_space: 'files:refused.no_space',
} as const;

/** What goes along with the message: what is there already, what is on its way, and what was not taken. */
export function Tray() {
  const t = useT();
  const held = useStore(tray);
  const { ready, chips, armed, stuck, preparing } = held;
  const empty = ready.length + chips.length + held.refused.length + preparing === 0;
  if (empty) return null;
  return (
    <div className={styles.tray} data-testid="tray">
      <Said of={held} />
      {ready.length + chips.length > 0 ? (
        <ul className={styles.row} aria-label={t('files:tray')}>
          {ready.map((file) => (
            <Ready key={file.file} file={file} />
          ))}
          {chips.map((chip) => (
            <OnItsWay key={chip.key} chip={chip} />
          ))}
        </ul>
      ) : null}
      {preparing > 0 ? (
        <p className={styles.armed} role="status">
          {t('files:photos.preparing')}
        </p>
      ) : null}
      {armed || stuck ? (
        <p className={stuck ? styles.refused : styles.armed} role="status">
          {t(stuck ? 'files:guest.stuck' : 'files:armed')}
        </p>
      ) : null}
    </div>
  );
}

/** What was left out, and what should be known before it is sent. */
function Said({ of: { refused, traced, ready } }: { of: GuestTray }) {
  const t = useT();
  const language = useLanguage();
  const lines = refused.map(({ name, why, limit }) =>
    t(REFUSED[why], { name, most: why === 'too_many' ? limit : bytesText(language, limit) }),
  );
  if (ready.length > 0) lines.push(...traced.map((name) => t('files:traced', { name })));
  if (lines.length === 0) return null;
  return (
    <div className={styles.refused} role="alert">
      <span>
        {lines.map((line) => (
          <span key={line} className={styles.why}>
            {line}
          </span>
        ))}
      </span>
      <Key label={t('files:guest.close')} onPress={() => tray.setState({ refused: [], traced: [] })}>
        <X aria-hidden />
      </Key>
    </div>
  );
}

function Ready({ file }: { file: Attached }) {
  const t = useT();
  const language = useLanguage();
  const name = file.name ?? '';
  return (
    <li className={styles.chip} data-state="ready">
      {file.type === 'image' ? <Small file={file.file} name={name} /> : <Thumb mime={file.mime ?? ''} name={name} />}
      <span className={styles.words}>
        <FileName name={name} />
        <span className={styles.state}>{bytesText(language, file.size ?? 0)}</span>
      </span>
      <Key label={t('files:remove', { name })} onPress={() => detach(file)}>
        <X aria-hidden />
      </Key>
    </li>
  );
}

/** One that an earlier page sent up has no picture on this device any more. */
function Small({ file, name }: { file: string; name: string }) {
  const { url } = usePicture(file, 320, true);
  return <Thumb src={previewOf(file) ?? url} mime="image/" name={name} />;
}

function OnItsWay({ chip: c }: { chip: Chip }) {
  const t = useT();
  const part = c.size > 0 ? Math.min(1, c.sent / c.size) : 1;
  const { name } = c;
  return (
    <li className={cx(styles.chip, c.state === 'failed' && styles.failed)} data-state={c.state}>
      <Thumb src={c.preview} mime="" name={name} />
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
        <Key label={t('files:pause', { name })} onPress={() => pause(c.key)}>
          <Pause aria-hidden />
        </Key>
      ) : null}
      {c.state === 'paused' ? (
        <Key label={t('files:resume', { name })} onPress={() => resume(c.key)}>
          <Play aria-hidden />
        </Key>
      ) : null}
      {c.state === 'waiting' || (c.state === 'failed' && !isFinal(c.error)) ? (
        <Key label={t('files:retry', { name })} onPress={() => resume(c.key)}>
          <RotateCw aria-hidden />
        </Key>
      ) : null}
      <Key label={t('files:remove', { name })} onPress={() => removeChip(c.key)}>
        <X aria-hidden />
      </Key>
    </li>
  );
}

function State({ chip: c, part }: { chip: Chip; part: number }) {
  const t = useT();
  const language = useLanguage();
  const whyNot = useWhyNot();
  const size = bytesText(language, c.size);
  if (c.state === 'failed') {
    return (
      <span className={styles.wrong} role="alert">
        {c.error ? whyNot(c.error) : t('files:state.failed')}
      </span>
    );
  }
  const text = {
    queued: t('files:state.queued', { size }),
    sending: part < 1 ? t('files:state.sending', { size, percent: Math.round(part * 100) }) : t('files:state.checking'),
    // A server that asks to wait says why; without a network it is said in words of its own.
    waiting: c.error && c.error.status > 0 ? whyNot(c.error) : t('files:state.waiting'),
    paused: t('files:state.paused', { size }),
    checking: t('files:state.checking'),
    ready: size,
  }[c.state];
  return <span className={styles.state}>{text}</span>;
}

function Thumb({ src, mime, name }: { src?: string | undefined; mime: string; name: string }) {
  const [broken, setBroken] = useState<string>();
  return (
    <span className={cx(styles.thumb, own.thumb)}>
      {src && broken !== src ? (
        <img src={src} alt="" onError={() => setBroken(src)} />
      ) : (
        <FileIcon mime={mime} name={name} />
      )}
    </span>
  );
}
