import type { ReactNode } from 'react';

const LINK = /https?:\/\/[^\s<>"'，。；！？、（）《》【】]+/g;

/** Addresses become links; what ends a sentence is not part of them. */
export function linked(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const url = match[0].replace(/[.,;:!?)\]]+$/, '');
    parts.push(text.slice(from, match.index));
    parts.push(
      <a key={match.index} href={url} target="_blank" rel="noopener noreferrer nofollow">
        {url}
      </a>,
    );
    from = match.index + url.length;
  }
  parts.push(text.slice(from));
  return parts;
}
