/** Reading a list of people as somebody pasted it: from a spreadsheet, a document, or typed. */

export interface Line {
  name: string;
  number: string;
}

export interface Read {
  people: Line[];
  /** Lines that are none, with their number, from 1. */
  bad: { line: number; text: string; why: 'no_number' | 'name_long' | 'number_long' | 'twice' }[];
}

const NAME = 50;
const NUMBER = 32;

/** One person a line: name and number, with a tab, comma or several spaces between; a first line of headings is skipped. */
export function readPeople(text: string): Read {
  const read: Read = { people: [], bad: [] };
  const seen = new Set<string>();
  text.split(/\r?\n/).forEach((raw, i) => {
    const line = raw.trim();
    if (!line || (i === 0 && /^(姓名|名字|name)\b/i.test(line)) || (i === 0 && /^(姓名|名字)/.test(line))) return;
    const bad = (why: Read['bad'][number]['why']) => read.bad.push({ line: i + 1, text: line.slice(0, 80), why });
    const cut = /^(.*?)(?:\t+|\s*[,，;；]\s*|\s{2,}|\s+(?=\S+$))(\S+)$/u.exec(line);
    const [name, number] = [cut?.[1]?.trim() ?? '', cut?.[2]?.trim() ?? ''];
    if (!name || !number) return bad('no_number');
    if ([...name].length > NAME) return bad('name_long');
    if ([...number].length > NUMBER) return bad('number_long');
    if (seen.has(number)) return bad('twice');
    seen.add(number);
    read.people.push({ name, number });
  });
  return read;
}
