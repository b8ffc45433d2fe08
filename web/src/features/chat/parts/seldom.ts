/** Small parts that most visits never show, in one chunk: a chunk of their own each would cost the shell more than it saves. */
export { Above } from './Above';
export { AckKey } from './AckKey';
export { DropHere } from './DropHere';
export { ForwardedCard } from './ForwardedCard';
export { MentionList } from './MentionList';
export { OtherDraft } from './OtherDraft';
export { PendingNotes } from './PendingNotes';
export { Pills } from './Pills';
export { Rewrite } from './Rewrite';
export { UndoPill } from './UndoPill';
