import type { KeyboardEvent } from 'react';

/**
 * Whether a key belongs to an input method that is still composing. Every handler of Enter, Escape and arrows asks this
 * first: the Enter that commits pinyin must not send a message.
 */
export function isComposing(event: KeyboardEvent): boolean {
  return event.nativeEvent.isComposing || event.keyCode === 229;
}
