/** What the composer writes to: the draft of a conversation, or the message being edited. */
import { useStore } from 'zustand';
import { asAppError } from '~/api/client';
import { myId } from '~/core/store/session';
import { useErrorText, useT } from '~/i18n';
import { toast } from '~/ui/Toast';
import { edit, sayReceived, send } from '../actions';
import { keepDraft } from '../drafts';
import { asksForReceived, isReceived } from '../received';
import { lastSegment } from '../segments';
import { chat, type Draft } from '../store';
import { chatUi, isComing, putTray } from '../ui';
import { editable, startEdit, startReply } from './reply';

const EMPTY: Draft = { text: '', picks: [] };

export interface ComposerModel {
  draft: Draft;
  editing: boolean;
  change(draft: Draft): void;
  submit(): Promise<void>;
  /** Leaves the edit or the reply; true if there was one. */
  cancel(): boolean;
  /** ↑ in an empty composer: the last message of one's own, if it may be edited. */
  editLast(): boolean;
  /** Alt+Enter: answers the last message of somebody else. */
  replyLast(): void;
}

/** The message that asks for a 收到, if one does at the end of what is read here. */
function askedHere(conversation: string): number | undefined {
  const tail = lastSegment(chat.getState().timelines[conversation]?.segments ?? []);
  return asksForReceived(tail?.messages ?? [], myId())?.seq;
}

export function useComposer(conversation: string): ComposerModel {
  const t = useT();
  const errorText = useErrorText();
  const kept = useStore(chat, (s) => s.drafts[conversation]) ?? EMPTY;
  const all = useStore(chatUi, (s) => s.editing);
  const editing = all?.conversation === conversation ? all : undefined;
  const draft = editing?.draft ?? kept;
  /** What was typed says no more than the key of a message just above: the key it is, and no message; until one says otherwise. */
  const press = async (seq: number) => {
    await sayReceived(conversation, seq, true);
    keepDraft(conversation, { text: '', picks: [] });
    toast(t('chat:ack.pressed'), {
      label: t('chat:ack.send_text'),
      run: () => void send(conversation, draft).catch((error) => toast(errorText(asAppError(error)))),
    });
  };
  return {
    draft,
    editing: editing !== undefined,
    change(next) {
      if (editing) chatUi.setState({ editing: { ...editing, draft: next } });
      else keepDraft(conversation, next);
    },
    async submit() {
      const tray = chatUi.getState().trays[conversation];
      // Files on their way take the message along when they are there; a second press lets go of that.
      if (!editing && isComing(tray)) return putTray(conversation, { armed: !tray?.armed });
      if (!draft.text.trim() && !draft.files?.length) return;
      try {
        if (!editing) {
          const alone = isReceived(draft.text) && !draft.files?.length;
          const asking = alone && draft.reply_to === undefined ? askedHere(conversation) : undefined;
          return await (asking === undefined ? send(conversation, draft) : press(asking));
        }
        await edit(conversation, editing.seq, draft);
        chatUi.setState({ editing: undefined });
      } catch (error) {
        toast(errorText(asAppError(error)));
      }
    },
    cancel() {
      if (editing) {
        chatUi.setState({ editing: undefined });
        return true;
      }
      if (kept.reply_to === undefined) return false;
      const { reply_to: _, ...rest } = kept;
      keepDraft(conversation, rest);
      return true;
    },
    editLast() {
      const tail = lastSegment(chat.getState().timelines[conversation]?.segments ?? []);
      const mine = [...(tail?.messages ?? [])].reverse().find((m) => editable(m, myId()));
      if (mine) startEdit(conversation, mine);
      return mine !== undefined;
    },
    replyLast() {
      const tail = lastSegment(chat.getState().timelines[conversation]?.segments ?? []);
      const other = [...(tail?.messages ?? [])]
        .reverse()
        .find((m) => m.sender.id !== myId() && m.body?.kind === 'blocks');
      if (other) startReply(conversation, other.seq);
    },
  };
}
