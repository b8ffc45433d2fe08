import {
  File as AnyFile,
  FileArchive,
  FileCode,
  FileImage,
  FileMusic,
  FileSpreadsheet,
  FileText,
  Film,
  type LucideIcon,
  Presentation,
} from 'lucide-react';

const ENDINGS: readonly [RegExp, LucideIcon][] = [
  [/\.(xlsx?|csv|ods|et|numbers)$/i, FileSpreadsheet],
  [/\.(pptx?|odp|dps|key)$/i, Presentation],
  [/\.(docx?|odt|wps|rtf|pdf|txt|md|pages|ofd)$/i, FileText],
  [/\.(zip|rar|7z|tar|gz|xz|bz2)$/i, FileArchive],
  [/\.(js|ts|json|xml|html?|css|py|rs|go|java|c|cpp|h|sh|sql|ya?ml|toml)$/i, FileCode],
];
const KINDS: readonly [RegExp, LucideIcon][] = [
  [/^image\//, FileImage],
  [/^video\//, Film],
  [/^audio\//, FileMusic],
  [/^application\/(zip|gzip|x-(7z|rar|tar|xz|bzip2))/, FileArchive],
  [/^(text\/|application\/pdf)/, FileText],
];

/** What a file is: by its bytes where they say it, by its ending for what all look the same inside (docx, xlsx). */
export function FileIcon({ mime, name }: { mime: string; name: string }) {
  const Icon =
    ENDINGS.find(([ending]) => ending.test(name))?.[1] ?? KINDS.find(([kind]) => kind.test(mime))?.[1] ?? AnyFile;
  return <Icon aria-hidden />;
}
