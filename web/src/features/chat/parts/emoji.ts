/** The emoji people reach for, by group. Characters of the system's own font: nothing is drawn here. */

export const GROUPS = ['faces', 'people', 'nature', 'food', 'work', 'feast', 'signs'] as const;
export type Group = (typeof GROUPS)[number];

const of = (text: string): string[] => text.trim().split(/\s+/);

export const EMOJI: Record<Group, string[]> = {
  faces: of(`😀 😃 😄 😁 😆 😅 😂 🤣 🙂 😉 😊 😇 🥰 😍 🤩 😘 😋 😛 😜 🤪 🤗 🤭 🤫 🤔 🫡 🤐 😐 😑 😶 😏 😒 🙄 😬
    😌 😔 😪 😴 😷 🤒 🤕 🤢 🤧 🥵 🥶 😵 🤯 🥳 😎 🤓 🧐 😕 😟 🙁 😮 😯 😲 😳 🥺 😨 😰 😥 😢 😭 😱 😖 😣 😞 😓 😩 😫
    🥱 😤 😡 😠 👻 💀 🤖 😺`),
  people: of(`👍 👎 👌 ✌️ 🤞 🤟 🤙 👈 👉 👆 👇 ☝️ ✋ 🖐️ 👋 👏 🙌 🤝 🙏 💪 ✊ 👊 🤛 🤜 🤲 ✍️ 💅 👀 🧠 🙋 🙋‍♂️ 🙇 🙇‍♂️ 🤦
    🤦‍♂️ 🤷 🤷‍♂️ 👨‍💻 👩‍💻 👷 👮 🧑‍🏫 🧑‍⚕️ 🧑‍🍳 🏃 🚶 💃 🕺 👨‍👩‍👧 👶`),
  nature:
    of(`🐶 🐱 🐭 🐰 🦊 🐻 🐼 🐯 🦁 🐮 🐷 🐸 🐵 🐔 🐧 🐦 🐤 🦉 🐴 🦄 🐝 🦋 🐢 🐍 🐉 🐙 🐠 🐬 🐳 🌵 🌲 🌳 🍀 🍁 🌷 🌹 🌻
    🌸 🌙 ⭐ 🌟 ✨ ⚡ 🔥 🌈 ☀️ ⛅ ☁️ 🌧️ ⛈️ ❄️ ☃️ 💨 💧 🌊`),
  food: of(`🍎 🍐 🍊 🍋 🍌 🍉 🍇 🍓 🍒 🍑 🥭 🍍 🍅 🥑 🌽 🥕 🍄 🍞 🥐 🧀 🥚 🍳 🥟 🍜 🍚 🍙 🍣 🍱 🍲 🥘 🍗 🍔 🍟 🍕 🌭 🥪 🍿 🍰 🎂
    🍭 🍫 🍩 🍪 🍦 ☕ 🍵 🥛 🧋 🍺 🍻 🥂 🍷 🥢`),
  work: of(`💼 📁 📂 📄 📃 📑 📊 📈 📉 📅 📆 📌 📍 📎 🔗 📏 ✂️ 🗑️ 🔒 🔓 🔑 🔨 🔧 🧰 🧪 💻 🖥️ 🖨️ ⌨️ 🖱️ 📱 ☎️ 📞 📷 🎥 🎙️ 🔋 🔌 💡
    📚 📖 📝 ✏️ 🖊️ ✉️ 📧 📦 🏷️ 💰 💴 💳 🧾 ⏰ ⏳ 🕐 🚗 🚕 🚌 🚄 ✈️ 🚀 🚢 🚲 🏢 🏭 🏫 🏥 🏠 🏨`),
  feast: of(
    `🎉 🎊 🎈 🎁 🎂 🧧 🏮 🎆 🎇 🧨 🎄 🎋 🎍 🥮 🐲 💐 🏆 🥇 🥈 🥉 🏅 ⚽ 🏀 🏐 🎾 🏓 🏸 🎯 🎮 🎲 🎵 🎶 🎤 🎧 🎸 🎬 🎨`,
  ),
  signs:
    of(`❤️ 🧡 💛 💚 💙 💜 🖤 🤍 💔 💕 💯 ✅ ☑️ ✔️ ❌ ❎ ⭕ ❗ ❓ ⚠️ 🚫 ⛔ 🔴 🟠 🟡 🟢 🔵 ⚪ ⚫ ⬆️ ⬇️ ⬅️ ➡️ 🔁 🔄 ➕ ➖ ✖️ ➗ 🔔 🔕 📣 💬 💤
    🆗 🆕 🆓 🈚 ㊗️ ㊙️ 🚩 🏁 1️⃣ 2️⃣ 3️⃣`),
};

const KEY = 'magpie:emoji';
const KEPT = 18;

export function recentEmoji(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((e): e is string => typeof e === 'string').slice(0, KEPT) : [];
  } catch {
    return [];
  }
}

export function rememberEmoji(emoji: string): void {
  try {
    localStorage.setItem(KEY, JSON.stringify([emoji, ...recentEmoji().filter((e) => e !== emoji)].slice(0, KEPT)));
  } catch {
    // A full or forbidden storage: nothing is remembered.
  }
}
