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
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (!line || (i === 0 && /^(姓名|名字|name\b)/i.test(line))) continue;
    const cut = /^(.*?)(?:\t+|\s*[,，;；]\s*|\s{2,}|\s+(?=\S+$))(\S+)$/u.exec(line);
    const [name, number] = [cut?.[1]?.trim() ?? '', cut?.[2]?.trim() ?? ''];
    const why = wrong(name, number, seen);
    seen.add(number);
    if (why) read.bad.push({ line: i + 1, text: line.slice(0, 80), why });
    else read.people.push({ name, number });
  }
  return read;
}

function wrong(name: string, number: string, seen: ReadonlySet<string>): Read['bad'][number]['why'] | undefined {
  if (!name || !number) return 'no_number';
  if (Array.from(name).length > NAME) return 'name_long';
  if (Array.from(number).length > NUMBER) return 'number_long';
  return seen.has(number) ? 'twice' : undefined;
}
