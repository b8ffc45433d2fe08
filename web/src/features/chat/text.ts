/** Between what a person types and a message body, and back. */

import type { Block, BlocksBody, Body, FileBlock, ImageBlock, MentionBlock, Message, TextBlock } from '~/api/types';
import { i18next } from '~/i18n';
import type { Draft } from './store';

export interface Composed {
  body: BlocksBody;
  mentions: string[];
  mention_all: boolean;
}

/** Stands for everyone in a mention block; readers see the word in their own language. */
export const ALL = 'all';

/** Turns text with picked names into blocks; a name that was edited away is plain text again. */
export function compose({ text, picks, files = [] }: Pick<Draft, 'text' | 'picks' | 'files'>): Composed {
  const byLength = [...picks].sort((a, b) => b.name.length - a.name.length);
  const blocks: Block[] = [];
  const mentions = new Set<string>();
  let all = false;
  let run = '';
  const flush = () => {
    if (run) blocks.push({ type: 'text', text: run });
    run = '';
  };
  for (let i = 0; i < text.length; ) {
    const at = text[i] === '@' || text[i] === '＠';
    const pick = at ? byLength.find((p) => text.startsWith(p.name, i + 1)) : undefined;
    if (!pick) {
      run += text[i];
      i += 1;
      continue;
    }
    flush();
    blocks.push({ type: 'mention', user: pick.user });
    if (pick.user === ALL) all = true;
    else mentions.add(pick.user);
    i += 1 + pick.name.length;
  }
  flush();
  return { body: { kind: 'blocks', blocks: [...blocks, ...files] }, mentions: [...mentions], mention_all: all };
}

function mentionedName(user: string, nameOf: (user: string) => string): string {
  return user === ALL ? i18next.t('chat:mention.all') : nameOf(user);
}

export const isText = (b: Block): b is TextBlock => b.type === 'text';
export const isMention = (b: Block): b is MentionBlock => b.type === 'mention';

export const isAttached = (b: Block): b is ImageBlock | FileBlock => b.type === 'image' || b.type === 'file';

/** Nothing but pictures and files: they need no bubble around them. */
export const isBare = (body: Body | null): boolean =>
  body?.kind === 'blocks' && body.blocks.length > 0 && body.blocks.every(isAttached);

/** What stands for a block where there is only room for words. */
function wordsFor(b: Block): string {
  if (b.type === 'image') return i18next.t('chat:preview.image');
  if (b.type === 'file') return `${i18next.t('chat:preview.file')} ${b.name ?? ''}`;
  return b.type === 'card' && b.kind === 'forwarded' ? i18next.t('chat:forward.preview') : '';
}

/** The body as one line of plain text, for previews, copying and reading aloud. */
export function plainText(body: Body | null, nameOf: (user: string) => string): string {
  if (body?.kind !== 'blocks') return '';
  const word = (b: Block) =>
    isText(b) ? b.text : isMention(b) ? `@${mentionedName(b.user, nameOf)}` : ` ${wordsFor(b)} `;
  return body.blocks.map(word).join('').trim();
}

/** A draft in one line: its words, then what is attached or on its way. Empty where there is nothing to send. */
export function draftLine(
  draft: Pick<Draft, 'text' | 'files'> | undefined,
  coming: readonly { name: string; preview?: string }[] = [],
): string {
  const words = (draft?.files ?? []).map(wordsFor);
  for (const { name, preview } of coming)
    words.push(wordsFor(preview ? { type: 'image', file: '' } : { type: 'file', file: '', name }));
  return [draft?.text.trim() ?? '', ...words].filter(Boolean).join(' ');
}

/** Several messages as text: who, when, what. System lines and recalled messages say nothing. */
export function transcript(
  messages: readonly Message[],
  nameOf: (user: string) => string,
  timeOf: (ms: number) => string,
): string {
  return messages
    .filter((m) => m.body?.kind === 'blocks')
    .map((m) => `${nameOf(m.sender.id)} ${timeOf(m.sent_at)}\n${plainText(m.body, nameOf)}`)
    .join('\n\n');
}

/** The draft from which a body was made, so that it can be written anew. */
export function toDraft(body: Body | null, nameOf: (user: string) => string): Draft {
  const picks: Draft['picks'] = [];
  if (body?.kind === 'blocks') {
    for (const b of body.blocks as Block[]) {
      if (isMention(b) && !picks.some((p) => p.user === b.user))
        picks.push({ user: b.user, name: mentionedName(b.user, nameOf) });
    }
  }
  const blocks = body?.kind === 'blocks' ? body.blocks : [];
  const words = blocks.filter((b) => !isAttached(b));
  const files = blocks.filter(isAttached);
  return {
    text: plainText({ kind: 'blocks', blocks: words }, nameOf),
    picks,
    ...(files.length > 0 ? { files } : {}),
  };
}

/** What stands between the last @ and the caret, if a name is being typed there. */
export function mentionQuery(text: string, caret: number): { start: number; query: string } | undefined {
  const before = text.slice(0, caret);
  const start = Math.max(before.lastIndexOf('@'), before.lastIndexOf('＠'));
  if (start < 0) return undefined;
  const query = before.slice(start + 1);
  if (/[\s@＠]/.test(query) || query.length > 20) return undefined;
  // An address such as a@b.cn is no mention; Chinese needs no space before @.
  if (start > 0 && /[A-Za-z0-9._-]/.test(before[start - 1] ?? '')) return undefined;
  return { start, query };
}
