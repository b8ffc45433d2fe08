/** What a person set for this device. Kept in localStorage: it must be known before the first paint, and holds nothing private. */
import { createStore } from 'zustand/vanilla';

export const FONT_SIZES = [12, 14, 16, 18, 22, 26, 32] as const;
export type FontSize = (typeof FONT_SIZES)[number];
export type Theme = 'system' | 'light' | 'dark' | 'contrast';
export type Language = 'zh-CN' | 'zh-TW' | 'zh-HK' | 'en';

export interface Settings {
  theme: Theme;
  fontSize: FontSize;
  /** undefined follows the browser. */
  language: Language | undefined;
  enterSends: boolean;
  listWidth: number;
  density: 'comfortable' | 'compact';
  /** Large type, large targets, few doors; and the size of type to go back to. */
  care: boolean;
  fontBeforeCare: FontSize;
  /** Tell of messages through the system, once the browser allows it; with their words or without. */
  notifications: boolean;
  notifyText: boolean;
  /** Destinations pinned below the slots, by their ids, in order. */
  pins: readonly string[];
  /** The card of first steps was put away. */
  firstStepsDone: boolean;
}

const KEY = 'magpie:settings';
const defaults: Settings = {
  theme: 'system',
  fontSize: 14,
  language: undefined,
  enterSends: true,
  listWidth: 280,
  density: 'comfortable',
  care: false,
  fontBeforeCare: 14,
  notifications: true,
  notifyText: true,
  pins: [],
  firstStepsDone: false,
};

function read(): Settings {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Settings>;
    return { ...defaults, ...kept };
  } catch {
    return defaults;
  }
}

export const settings = createStore<Settings>(read);

settings.subscribe((value) => {
  try {
    localStorage.setItem(KEY, JSON.stringify(value));
  } catch {
    // A full or forbidden storage: the setting holds until the page is closed.
  }
});

const CARE_FONT: FontSize = 22;

/** The care view comes with its size of type, and leaves it again. */
export function setCare(care: boolean): void {
  const { fontSize, fontBeforeCare, care: was } = settings.getState();
  if (care === was) return;
  if (care)
    settings.setState({ care, fontBeforeCare: fontSize, fontSize: fontSize < CARE_FONT ? CARE_FONT : fontSize });
  else settings.setState({ care, fontSize: fontBeforeCare });
}
