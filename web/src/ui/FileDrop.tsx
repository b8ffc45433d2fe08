import { Upload } from 'lucide-react';
import { useState } from 'react';
import { DropZone } from 'react-aria-components/DropZone';
import { FileTrigger } from 'react-aria-components/FileTrigger';
import { useT } from '~/i18n';
import { Button } from './Button';
import styles from './FileDrop.module.css';
import { FormError } from './FormError';

const MB = 1024 * 1024;

/** Which of the files may be used, and the first thing that is wrong with the others. */
export function sorted(
  files: readonly File[],
  { accept, maxBytes, most }: { accept?: readonly string[]; maxBytes: number; most: number },
): { good: File[]; bad?: { why: 'kind' | 'too_big'; name: string } | { why: 'too_many' } } {
  const kind = (f: File) =>
    !accept?.length || accept.some((a) => (a.endsWith('/*') ? f.type.startsWith(a.slice(0, -1)) : f.type === a));
  const strange = files.find((f) => !kind(f));
  const large = files.find((f) => f.size > maxBytes);
  const good = files.filter((f) => kind(f) && f.size <= maxBytes);
  if (strange) return { good: good.slice(0, most), bad: { why: 'kind', name: strange.name } };
  if (large) return { good: good.slice(0, most), bad: { why: 'too_big', name: large.name } };
  return good.length > most ? { good: good.slice(0, most), bad: { why: 'too_many' } } : { good };
}

/** Takes files by drop, paste or choice. What becomes of them is the caller's. */
export function FileDrop({
  label,
  hint,
  accept,
  maxBytes = 20 * MB,
  most = 1,
  onFiles,
}: {
  label: string;
  hint?: string;
  /** MIME types, or `image/*`. */
  accept?: readonly string[];
  maxBytes?: number;
  most?: number;
  onFiles: (files: File[]) => void;
}) {
  const t = useT();
  const [wrong, setWrong] = useState<string>();
  const take = (files: readonly File[]) => {
    const { good, bad } = sorted(files, { ...(accept ? { accept } : {}), maxBytes, most });
    setWrong(
      !bad
        ? undefined
        : bad.why === 'too_many'
          ? t('ui:file.too_many', { count: most })
          : bad.why === 'kind'
            ? t('ui:file.kind', { name: bad.name })
            : t('ui:file.too_big', { name: bad.name, most: `${Math.round(maxBytes / MB)} MB` }),
    );
    if (good.length > 0) onFiles(good);
  };
  return (
    <>
      <DropZone
        aria-label={label}
        className={styles.zone ?? ''}
        onDrop={async (e) => {
          const items = e.items.filter((i) => i.kind === 'file');
          take(await Promise.all(items.map((i) => i.getFile())));
        }}
      >
        <Upload aria-hidden className={styles.icon} />
        <span>{t('ui:file.drop')}</span>
        <FileTrigger
          {...(accept ? { acceptedFileTypes: accept } : {})}
          allowsMultiple={most > 1}
          onSelect={(list) => take(Array.from(list ?? []))}
        >
          <Button>{t('ui:file.choose')}</Button>
        </FileTrigger>
        {hint ? <span className={styles.hint}>{hint}</span> : null}
      </DropZone>
      <FormError>{wrong}</FormError>
    </>
  );
}
