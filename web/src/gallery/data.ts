/** Made-up people, departments and rows; the same every time. */
import type { Branch } from '~/ui/Cascader';
import type { OrgNode, OrgSource } from '~/ui/OrgPicker';

const FAMILY = ['张', '李', '王', '赵', '陈', '杨', '黄', '周', '吴', '买买提·'];
const GIVEN = ['伟', '娜', '敏', '静', '磊', '秀英', '建国', '晓明', '雪', '志强'];
const CITIES = ['杭州', '上海', '深圳', '成都', '乌鲁木齐', '哈尔滨'];

export interface Customer {
  id: string;
  name: string;
  city: string;
  owner: string;
  deals: number;
  amount: number;
}

const pick = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;
const nameOf = (n: number) => pick(FAMILY, n) + pick(GIVEN, Math.floor(n / FAMILY.length) + n);

export const customers = (count: number): Customer[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `c${i}`,
    name: `${pick(['云海', '长风', '青禾', '百川', '启明', '北辰'], i * 5)}${pick(['贸易', '科技', '物流', '食品'], i * 3)} ${i + 1}`,
    city: pick(CITIES, i * 7),
    owner: nameOf(i * 13),
    deals: (i * 17) % 9,
    amount: ((i * 7_919) % 100_000) * 10,
  }));

const UNITS = ['总经办', '市场部', '研发中心', '客户服务部', '华东区'];

/** Five departments, each with two teams and 25 people; every page has ten. */
export const company: OrgSource = {
  key: 'gallery',
  below: async (unit, cursor) => paged(unit ? inside(unit) : top(), cursor),
  find: async (q, cursor) =>
    paged(
      [...top(), ...UNITS.flatMap((_, u) => inside(`u${u}`))].filter((n) => n.name.includes(q)),
      cursor,
    ),
};

export const broken: OrgSource = {
  key: 'broken',
  below: () => Promise.reject(new Error('away')),
  find: () => Promise.reject(new Error('away')),
};

const top = (): OrgNode[] => UNITS.map((name, u) => ({ kind: 'unit', id: `u${u}`, name, count: 25 }));

function inside(unit: string): OrgNode[] {
  const u = Number(unit.slice(1).split('-')[0]);
  const place = UNITS[u] ?? '';
  const teams: OrgNode[] = unit.includes('-')
    ? []
    : ['一组', '二组'].map((team, i) => ({ kind: 'unit', id: `${unit}-${i}`, name: place + team, path: place }));
  const people = Array.from({ length: unit.includes('-') ? 4 : 25 }, (_, i): OrgNode => {
    const n = u * 31 + i + (unit.includes('-') ? 500 : 0);
    return { kind: 'person', id: `${unit}p${i}`, name: nameOf(n), detail: place };
  });
  return [...teams, ...people];
}

function paged(all: OrgNode[], cursor: string | undefined) {
  const from = Number(cursor ?? 0);
  const to = from + 10;
  return { items: all.slice(from, to), ...(to < all.length ? { next: String(to) } : {}) };
}

export const areas: Branch[] = [
  {
    id: 'zj',
    label: '浙江省',
    children: [
      {
        id: 'hz',
        label: '杭州市',
        children: ['上城区', '西湖区', '滨江区', '余杭区'].map((label) => ({ id: label, label })),
      },
      { id: 'nb', label: '宁波市', children: ['海曙区', '鄞州区'].map((label) => ({ id: label, label })) },
    ],
  },
  { id: 'sh', label: '上海市', children: ['黄浦区', '徐汇区', '浦东新区'].map((label) => ({ id: label, label })) },
  { id: 'hk', label: '香港特别行政区' },
];
