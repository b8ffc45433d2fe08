/** Which files our own viewer draws: by their bytes as the server saw them, and by their ending where those say little. */

export interface Named {
  name?: string | undefined;
  mime?: string | undefined;
}

export type Reader = 'pdf' | 'text';

const TEXT =
  /\.(txt|text|md|markdown|csv|tsv|json|jsonl|ndjson|log|ini|conf|cfg|properties|env|ya?ml|toml|xml|html?|svg|css|scss|less|m?[jt]sx?|cjs|vue|py|rb|rs|go|java|kt|kts|swift|c|h|cc|cpp|hpp|cs|m|mm|php|pl|lua|r|sql|sh|bash|zsh|bat|cmd|ps1|diff|patch|srt|vtt|ass|lrc|tex|bib|gradle|cmake|make|mk|dockerfile|gitignore|editorconfig|lock|nfo|reg|vcf|ics|eml|po|strings)$/i;
const NAMES = /^(makefile|dockerfile|readme|license|changelog|notice|authors|copying)$/i;

/** Undefined where a file can only be saved. */
export function readerOf({ name = '', mime = '' }: Named): Reader | undefined {
  if (mime === 'application/pdf') return 'pdf';
  if (mime.startsWith('text/')) return 'text';
  // A text that is not UTF-8 looks like nothing to the server: GBK from older programs, UTF-16 from some.
  const unknown = mime === '' || mime === 'application/octet-stream';
  return unknown && (TEXT.test(name) || NAMES.test(name)) ? 'text' : undefined;
}
