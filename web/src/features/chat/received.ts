/** The answer that fills groups: recognised, so that a key can be offered in its place. */
import type { Message } from '~/api/types';

const RECEIVED =
  /^(好的?[，,、 ]?)?(已?收到|知悉|已阅|明白|了解|谢谢(老师|领导)|received|got it|noted)([，,、 ]?(谢谢|感谢|多谢|thanks)?(老师|领导|校长|主任)?)?[。.!！~～👌🙏\s]*$/iu;

export const isReceived = (text: string): boolean => text.length <= 20 && RECEIVED.test(text.trim());

/** How far back a typed 收到 is taken to mean a message that asks for one. */
const NEAR = 20;

/** The newest message of others, not far above, that asks for a 收到 which was not given yet. */
export function asksForReceived(messages: readonly Message[], me: string): Message | undefined {
  return messages
    .slice(-NEAR)
    .reverse()
    .find((m) => m.ack && m.body !== null && m.sender.id !== me && !m.acks?.me);
}
