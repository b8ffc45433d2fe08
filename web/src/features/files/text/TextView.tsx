import { Copy, Hash, WrapText } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { FileBlock } from '~/api/types';
import { useLocale, useT } from '~/i18n';
import { Button, IconButton } from '~/ui/Button';
import { copyText } from '~/ui/copy';
import { cx } from '~/ui/cx';
import { Select } from '~/ui/Select';
import { toast } from '~/ui/Toast';
import { bytesText } from '../bytes';
import { Away, Frame, Opening, Unread } from '../parts/Frame';
import { faultOf, Remote } from '../remote';
import { blocksOf, CHARSETS, type Charset, charsetOf, decode } from './decode';
import styles from './TextView.module.css';

/** What is read at a time, in bytes. */
const PART = 1_048_576;
/** More than this is read better in a program for it. */
const MOST = 16 * PART;

/** A text file: its characters and nothing else, however much they look like markup. */
export function TextView({ file, onClose }: { file: FileBlock; onClose: () => void }) {
  const t = useT();
  const text = useText(file);
  const [charset, setCharset] = useState<Charset>();
  const [wrapped, setWrapped] = useState(true);
  const [numbers, setNumbers] = useState(false);
  const used = charset ?? text.charset;
  const words = useMemo(() => (used ? decode(text.parts, used, text.whole) : ''), [text.parts, text.whole, used]);
  const body = () => {
    if (text.fault && text.parts.length === 0) return <Unread why={text.fault} file={file} onRetry={text.again} />;
    if (!used && !text.binary) return <Opening bytes={text.bytes} />;
    if (!used) return <Unread why="binary" file={file} />;
    return <Words words={words} wrapped={wrapped} numbers={numbers} text={text} />;
  };
  const copy = async () => toast(t((await copyText(words)) ? 'common:copied' : 'common:copy_failed'));
  const foot = used ? (
    <div className={styles.bar} role="toolbar" aria-label={t('files:read.bar')}>
      <Select
        label={t('files:read.charset')}
        value={used}
        options={CHARSETS.map((id) => ({ id, label: id.toUpperCase() }))}
        onChange={setCharset}
      />
      <span className={styles.keys}>
        <IconButton
          label={t('files:read.wrap')}
          active={wrapped}
          aria-pressed={wrapped}
          onPress={() => setWrapped(!wrapped)}
        >
          <WrapText aria-hidden />
        </IconButton>
        <IconButton
          label={t('files:read.numbers')}
          active={numbers}
          aria-pressed={numbers}
          onPress={() => setNumbers(!numbers)}
        >
          <Hash aria-hidden />
        </IconButton>
        <IconButton label={t('files:read.copy')} onPress={() => void copy()}>
          <Copy aria-hidden />
        </IconButton>
      </span>
    </div>
  ) : null;
  return (
    <Frame file={file} onClose={onClose} foot={foot}>
      {text.away ? <Away onRetry={text.nudge} /> : null}
      {body()}
    </Frame>
  );
}

function Words({
  words,
  wrapped,
  numbers,
  text,
}: {
  words: string;
  wrapped: boolean;
  numbers: boolean;
  text: TextHandle;
}) {
  const t = useT();
  const locale = useLocale();
  const blocks = useMemo(() => blocksOf(words), [words]);
  const scroller = useRef<HTMLElement>(null);
  useEffect(() => scroller.current?.focus({ preventScroll: true }), []);
  let line = 0;
  return (
    <section
      ref={scroller}
      className={cx(styles.scroller, wrapped && styles.wrapped)}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard
      tabIndex={0}
      aria-label={t('files:read.text')}
      data-testid="text"
    >
      {blocks.map((lines, i) => {
        const first = line;
        line += lines.length;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: blocks of one text have no other name and do not move
          <pre key={i} className={styles.block} translate="no">
            {numbers
              ? lines.map((one, n) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: nor do lines
                  <span key={n} className={styles.line} data-line={first + n + 1}>
                    {`${one}\n`}
                  </span>
                ))
              : `${lines.join('\n')}\n`}
          </pre>
        );
      })}
      {text.whole ? null : (
        <div className={styles.more}>
          <p>
            {t(text.most ? 'files:read.most' : 'files:read.shown', {
              size: bytesText(locale, text.bytes),
              of: bytesText(locale, text.size),
            })}
          </p>
          {text.fault ? <p role="alert">{t(MORE[text.fault])}</p> : null}
          {text.most || text.fault === 'gone' || text.fault === 'lost' ? null : (
            <Button isPending={text.busy} onPress={text.more}>
              {t(text.fault ? 'common:retry' : 'files:read.more')}
            </Button>
          )}
        </div>
      )}
    </section>
  );
}

/** Why there is no more of it. */
const MORE = {
  gone: 'files:gone',
  lost: 'files:read.lost',
  failed: 'files:read.more_failed',
} as const;

interface TextHandle {
  parts: readonly Uint8Array[];
  charset: Charset | undefined;
  /** Its bytes are no text. */
  binary: boolean;
  bytes: number;
  size: number;
  /** All of it is here. */
  whole: boolean;
  /** As much of it is here as is shown of any. */
  most: boolean;
  busy: boolean;
  away: boolean;
  fault: keyof typeof MORE | undefined;
  more(): void;
  again(): void;
  nudge(): void;
}

function useText({ file, size = 0 }: FileBlock): TextHandle {
  const [parts, setParts] = useState<readonly Uint8Array[]>([]);
  const [first, setFirst] = useState<{ charset: Charset | undefined }>();
  const [fault, setFault] = useState<keyof typeof MORE>();
  const [away, setAway] = useState(false);
  const [busy, setBusy] = useState(true);
  const remote = useRef<Remote>(undefined);
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);

  const read = useCallback((from: number) => {
    const reader = remote.current;
    if (!reader) return;
    setBusy(true);
    setFault(undefined);
    reader.read(from, from + PART).then(
      (buffer) => {
        if (remote.current !== reader) return;
        const part = new Uint8Array(buffer);
        if (from === 0) setFirst({ charset: charsetOf(part) });
        setParts((was) => (from === 0 ? [part] : [...was, part]));
        setBusy(false);
      },
      (error) => {
        if (remote.current !== reader) return;
        setFault(faultOf(error));
        setBusy(false);
      },
    );
  }, []);
  useEffect(() => {
    const reader = new Remote(file, size, { waiting: (on) => (remote.current === reader ? setAway(on) : undefined) });
    remote.current = reader;
    setParts([]);
    setFirst(undefined);
    read(0);
    return () => {
      remote.current = undefined;
      reader.close();
    };
  }, [file, size, read]);
  return {
    parts,
    charset: first?.charset,
    binary: first !== undefined && first.charset === undefined,
    bytes,
    size,
    whole: bytes >= size,
    most: bytes >= MOST,
    busy,
    away,
    fault,
    more: () => (busy ? undefined : read(bytes)),
    again: () => read(bytes),
    nudge: () => remote.current?.nudge(),
  };
}
