/**
 * Short names for the schemas of the HTTP contract; the contract itself is generated (`schema.d.ts`).
 * Ids are UUID strings, moments are milliseconds since 1970 in UTC.
 */
import type { components, paths as Paths } from './schema';

type Schemas = components['schemas'];

/** The operations by their path after `/api/v1`, which the client's base address holds. */
export type paths = { [P in keyof Paths as P extends `/api/v1${infer Rest}` ? Rest : never]: Paths[P] };

export type Uuid = string;
export type Millis = number;

export type WaitingItem = Schemas['kernel.WaitingItem'];
export type HealthItem = Schemas['kernel.HealthItem'];
export type Problem = Schemas['kernel.Problem'];
export interface Page<T> {
  items: T[];
  next?: string | null;
}

export type ServerInfo = Schemas['identity.Server'];
export type User = Schemas['identity.User'];
export type Session = Schemas['identity.Session'];
export type SignedIn = Schemas['identity.SignedIn'];
export type Me = Schemas['identity.Me'];
export type Contact = Schemas['identity.Contact'];
export type Passkey = Schemas['identity.Passkey'];
export type ActivityEntry = Schemas['identity.Activity'];
export type Notice = Schemas['identity.Notice'];
export type Merge = Schemas['identity.Merge'];

export type OrgRole = Schemas['directory.Role'];
export type Org = Schemas['directory.Org'];
export type Member = Schemas['directory.Member'];
export type Invitation = Schemas['directory.Invitation'];
export type NewInvitation = Schemas['directory.NewInvitation'];
export type InvitationChange = Schemas['directory.InvitationChange'];
export type Accepted = Schemas['directory.Accepted'];
export type JoinRequest = Schemas['directory.JoinRequest'];
export type Asking = Schemas['directory.Asking'];
export type MemberChange = Schemas['directory.MemberChange'];
/** What an organisation decides about itself, by the settings' keys. */
export interface OrgSettings {
  step_up_minutes?: number;
  invite_by?: 'admins' | 'members';
  guest_links_by?: 'members' | 'admins' | 'nobody';
  guest_files?: boolean;
  /** How much a notice outside of the client shows at most. */
  shows?: Schemas['notify.Shows'];
}
export type AuditEntry = Schemas['directory.AuditEntry'];
export type NewIssued = Schemas['directory.NewAccounts']['people'][number];
export type Card = Schemas['identity.Card'];
export type Recovery = Schemas['directory.Recovery'];
export type Friend = Schemas['directory.Friend'];
export type PersonCode = Schemas['directory.PersonCode'];
export type PersonLook = Schemas['directory.PersonLook'];
export type Profile = Schemas['directory.Profile'];
export type InvitationPreview = Schemas['directory.InvitationLook'];

export type Block = Schemas['chat.Block'];
export type TextBlock = Extract<Block, { type: 'text' }>;
export type MentionBlock = Extract<Block, { type: 'mention' }>;
export type ImageBlock = Extract<Block, { type: 'image' }>;
export type FileBlock = Extract<Block, { type: 'file' }>;
export type Body = Schemas['chat.Body'];
export type BlocksBody = Extract<Body, { kind: 'blocks' }>;
export type SystemBody = Extract<Body, { kind: 'system' }>;
/** A file as the server has it; `File` is the browser's. */
export type StoredFile = Schemas['files.File'];
export type FileSpace = Schemas['files.Space'];
export type Reaction = Schemas['chat.Reaction'];
/** What a message said that was taken back; only in answers to its sender. */
export type Restored = Schemas['chat.Restored'];
/** Where a copy comes from; the first origin also through many hands. */
export type Forwarded = Schemas['chat.Forwarded'];
export type Message = Schemas['chat.Message'];
export type NewMessage = Schemas['chat.NewMessage'];
export type Sent = Schemas['chat.Sent'];
export type History = Schemas['chat.History'];
export type Head = Schemas['chat.Head'];
export type Cursor = Schemas['chat.Cursor'];
export type MemberCursor = Schemas['chat.MemberCursor'];
export type CursorMove = Schemas['chat.CursorMove'];
export type Preferences = Schemas['chat.Preferences'];
export type SharedConversation = Schemas['chat.SharedConversation'];
export type Conversation = Schemas['chat.Conversation'];
export type ConversationMember = Schemas['chat.Member'];
export type Receipts = Schemas['chat.Receipts'];
export type GuestLink = Schemas['chat.GuestLink'];
export type NewGuestLink = Schemas['chat.NewGuestLink'];
export type GuestLook = Schemas['chat.GuestLook'];
export type GuestEntered = Schemas['chat.GuestEntered'];
