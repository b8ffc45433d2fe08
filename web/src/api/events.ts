/** Frames of the realtime protocol (docs/realtime.md). */
import type {
  Conversation,
  Cursor,
  Friend,
  JoinRequest,
  Member,
  MemberCursor,
  Message,
  Millis,
  Notice,
  Org,
  OrgRole,
  Preferences,
  User,
  Uuid,
} from './types';

export type StreamKind = 'conversation' | 'person' | 'org';

/** What everyone in a conversation sees of it alike. */
export type SharedConversation = Pick<Conversation, 'id'> &
  Partial<
    Omit<
      Conversation,
      'cursor' | 'unread' | 'mentioned' | 'preferences' | 'draft' | 'my_role' | 'peer' | 'joined_seq' | 'can' | 'last'
    >
  >;

export type MessageEvent = { kind: 'message' } & Message;
export interface ReactionsEvent {
  kind: 'reactions';
  seq: number;
  emoji: string;
  count: number;
  users: Uuid[];
  user: Uuid;
  on: boolean;
}
export interface MemberEvent {
  kind: 'member';
  user: Uuid;
  name?: string;
  role: OrgRole;
  joined_seq: number;
  left: boolean;
}
export interface ConversationEvent {
  kind: 'conversation';
  conversation: SharedConversation;
}
export interface AcksEvent {
  kind: 'acks';
  seq: number;
  /** How many have said it, after `user` did or took it back. */
  count: number;
  user: Uuid;
  on: boolean;
}
export type ConversationStreamEvent = MessageEvent | ReactionsEvent | AcksEvent | MemberEvent | ConversationEvent;

export type PersonStreamEvent =
  | ({ kind: 'cursor'; conversation: Uuid } & Cursor)
  | ({ kind: 'preferences'; conversation: Uuid } & Preferences)
  | { kind: 'draft'; conversation: Uuid; text: string; rev: number }
  | { kind: 'followed'; conversation: Conversation }
  | { kind: 'unfollowed'; conversation: Uuid; reason: string }
  | { kind: 'mention'; conversation: Uuid; seq: number; sender: Uuid }
  | { kind: 'membership'; org: Uuid; state: 'active' | 'left'; role: OrgRole }
  | { kind: 'profile'; user: User }
  | { kind: 'notice'; notice: Notice }
  | { kind: 'friend'; friend: Friend }
  | { kind: 'join_request'; request: JoinRequest };

export type OrgStreamEvent = { kind: 'member'; member: Member } | { kind: 'org'; org: Org };

export type StreamEvent = ConversationStreamEvent | PersonStreamEvent | OrgStreamEvent;

export interface Resume {
  epoch: string;
  person: number;
  orgs: Record<Uuid, number>;
  heads: Record<Uuid, number>;
  floor: Millis;
}

export interface Frame {
  t: 'frame';
  stream: string;
  rev: number;
  events: unknown[];
  /** What each event carries beside its JSON, for a message that came as a binary one. */
  bytes?: Uint8Array[];
}
export interface CatchUp {
  t: 'catch_up';
  stream: string;
  from: number;
  rev: number;
  more?: boolean;
  events: unknown[];
  bytes?: Uint8Array[];
}
/** Bytes that another follower of the stream passed on; nothing is kept of them. */
export interface Passed {
  t: 'passed';
  stream: string;
  user: Uuid;
  bytes: Uint8Array;
}
export interface Resync {
  t: 'resync';
  stream: string;
  reason: string;
}
export interface Welcome {
  t: 'welcome';
  api: number;
  epoch: string;
  user: Uuid;
  session: Uuid;
  server_time: Millis;
  ping_ms: number;
}

export type Ephemeral =
  | { t: 'typing'; stream: string; user: Uuid }
  | { t: 'receipts'; conversation: Uuid; cursors: MemberCursor[] }
  | { t: 'presence'; people: Record<Uuid, 'online' | 'offline'> }
  | { t: 'touched'; kind: string; id: Uuid };

export type ServerMessage =
  | Welcome
  | Frame
  | CatchUp
  | Resync
  | Passed
  | Ephemeral
  | { t: 'resumed'; streams: number; person?: number }
  | { t: 'pong'; server_time: Millis }
  | { t: 'error'; code: string };

export type ClientMessage =
  | { t: 'hello'; api: 1; client: string; resume?: Resume }
  | { t: 'ping' }
  | { t: 'catch_up'; stream: string; rev: number }
  | { t: 'typing'; stream: string }
  | { t: 'open'; conversation: Uuid }
  | { t: 'close'; conversation: Uuid }
  | { t: 'watch'; users: Uuid[] };
