import { expect, test } from 'vitest';
import { readPeople } from './people';

test('reads what comes out of spreadsheets, documents and hands', () => {
  const { people, bad } = readPeople(
    '姓名\t工号\n张伟\t10023\n阿卜杜拉·买买提, 10024\r\nMary Ann Smith  A-7\n李雷 10025\n\n',
  );
  expect(bad).toEqual([]);
  expect(people).toEqual([
    { name: '张伟', number: '10023' },
    { name: '阿卜杜拉·买买提', number: '10024' },
    { name: 'Mary Ann Smith', number: 'A-7' },
    { name: '李雷', number: '10025' },
  ]);
});

test('names the lines that cannot be read, and goes on', () => {
  const { people, bad } = readPeople(`张伟\n李雷,1\n韩梅梅,1\n${'长'.repeat(51)},2`);
  expect(people).toEqual([{ name: '李雷', number: '1' }]);
  expect(bad.map((b) => [b.line, b.why])).toEqual([
    [1, 'no_number'],
    [3, 'twice'],
    [4, 'name_long'],
  ]);
});
