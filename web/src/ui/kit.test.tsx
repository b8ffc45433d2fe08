import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Button, IconButton } from './Button';
import { along, type Branch, Cascader } from './Cascader';
import { ComboBox } from './ComboBox';
import { type Column, DataTable, ordered } from './DataTable';
import { DateField, DateRangeField } from './DateField';
import { sorted } from './FileDrop';
import { missingGlyphs } from './glyphs';
import { NumberField } from './NumberField';
import { Toasts, toast, toastUndo } from './Toast';
import { Transfer } from './Transfer';
import { show } from './testing';

afterEach(() => vi.useRealTimers());

const areas: Branch[] = [
  {
    id: 'zj',
    label: '浙江',
    children: [
      { id: 'hz', label: '杭州' },
      { id: 'nb', label: '宁波' },
    ],
  },
  { id: 'hk', label: '香港' },
];

describe('Cascader', () => {
  test('goes down by levels and answers with the whole path', async () => {
    const change = vi.fn();
    const user = userEvent.setup();
    show(<Cascader label="地区" value={[]} options={areas} onChange={change} />);
    await user.click(screen.getByRole('button', { name: /地区/ }));
    await user.click(await screen.findByRole('option', { name: '浙江' }));
    expect(change).not.toHaveBeenCalled();
    await user.click(await screen.findByRole('option', { name: '宁波' }));
    expect(change).toHaveBeenCalledWith(['zj', 'nb']);
  });

  test('a path that no longer exists is shown as far as it does', () => {
    expect(along(areas, ['zj', 'gone']).map((b) => b.label)).toEqual(['浙江']);
  });
});

describe('dates', () => {
  test('a day is a plain text to the caller, typed by its parts', async () => {
    const change = vi.fn();
    const user = userEvent.setup();
    function Harness() {
      const [day, setDay] = useState<string | undefined>('2026-03-05');
      return (
        <DateField
          label="日期"
          value={day}
          onChange={(d) => {
            change(d);
            setDay(d);
          }}
        />
      );
    }
    show(<Harness />);
    act(() => screen.getByRole('spinbutton', { name: /日，|day/ }).focus());
    await user.keyboard('{ArrowUp}');
    expect(change).toHaveBeenLastCalledWith('2026-03-06');
    await user.click(screen.getByRole('button', { name: /清除/ }));
    expect(change).toHaveBeenLastCalledWith(undefined);
  });

  test('a usual span is one press', async () => {
    const change = vi.fn();
    const user = userEvent.setup();
    const range = { start: '2026-03-01', end: '2026-03-05' };
    show(<DateRangeField label="起止" value={undefined} onChange={change} presets={[{ label: '最近', range }]} />);
    await user.click(screen.getByRole('button', { name: /打开日历/ }));
    await user.click(await screen.findByRole('button', { name: '最近' }));
    expect(change).toHaveBeenCalledWith(range);
  });
});

describe('fields', () => {
  test('an emptied number is no number', async () => {
    const change = vi.fn();
    const user = userEvent.setup();
    show(<NumberField label="天数" value={3} onChange={change} />);
    await user.clear(screen.getByRole('textbox', { name: '天数' }));
    await user.tab();
    expect(change).toHaveBeenCalledWith(undefined);
  });

  test('typing narrows the choice, and says when nothing matches', async () => {
    const user = userEvent.setup();
    const options = [
      { id: 'a', label: '年假' },
      { id: 'b', label: '病假' },
    ] as const;
    const change = vi.fn();
    show(<ComboBox label="类型" value={undefined} options={options} onChange={change} />);
    await user.type(screen.getByRole('combobox', { name: '类型' }), '病');
    expect(await screen.findAllByRole('option')).toHaveLength(1);
    await user.type(screen.getByRole('combobox', { name: '类型' }), '无');
    await screen.findByText('没有匹配的');
  });

  test('what is wrong is part of the field for readers of screens', () => {
    show(<NumberField label="天数" value={3} onChange={() => {}} error="太多了" />);
    const input = screen.getByRole('textbox', { name: '天数' });
    const ids = input.getAttribute('aria-describedby')?.split(' ') ?? [];
    expect(ids.map((id) => document.getElementById(id)?.textContent).join()).toContain('太多了');
  });
});

describe('DataTable', () => {
  interface Line {
    id: string;
    name: string;
    n: number;
  }
  const columns: Column<Line>[] = [
    { id: 'name', label: '名称', cell: (r) => r.name, by: (r) => r.name },
    { id: 'n', label: '数量', cell: (r) => r.n, by: (r) => r.n, numeric: true },
  ];
  const rows = [
    { id: 'a', name: '李10', n: 3 },
    { id: 'b', name: '李9', n: 20 },
    { id: 'c', name: '安', n: 3 },
  ];

  test('names go by pinyin and numbers in them by value; equal ones keep their order', () => {
    const names = (sort: Parameters<typeof ordered>[2]) => ordered(rows, columns, sort).map((r) => r.name);
    expect(names({ column: 'name', direction: 'ascending' })).toEqual(['安', '李9', '李10']);
    expect(names({ column: 'n', direction: 'ascending' })).toEqual(['李10', '安', '李9']);
    expect(names(undefined)).toEqual(['李10', '李9', '安']);
  });

  test('a header sorts, a tick selects, all at once by the first', async () => {
    const user = userEvent.setup();
    const select = vi.fn();
    show(
      <DataTable
        label="表"
        columns={columns}
        rows={rows}
        idOf={(r) => r.id}
        selected={new Set<string>()}
        onSelect={select}
        empty="没有"
      />,
    );
    await user.click(screen.getByRole('columnheader', { name: /名称/ }));
    const body = within(screen.getAllByRole('rowgroup')[1] as HTMLElement);
    expect(body.getAllByRole('row').map((r) => within(r).getByRole('rowheader').textContent)).toEqual([
      '安',
      '李9',
      '李10',
    ]);
    await user.click(body.getAllByRole('checkbox')[0] as HTMLElement);
    expect([...(select.mock.lastCall?.[0] ?? [])]).toEqual(['c']);
    await user.click(screen.getAllByRole('checkbox')[0] as HTMLElement);
    expect([...(select.mock.lastCall?.[0] ?? [])].sort()).toEqual(['a', 'b', 'c']);
  });

  test('nothing, and nothing yet, are told apart', () => {
    const of = (loading: boolean) => (
      <DataTable label="表" columns={columns} rows={[]} idOf={(r) => r.id} loading={loading} empty="还没有" />
    );
    const view = show(of(true));
    expect(screen.getByRole('status', { name: '正在加载' })).toBeTruthy();
    view.unmount();
    show(of(false));
    expect(screen.getByText('还没有')).toBeTruthy();
  });
});

test('the words of an icon come when the keyboard reaches it, and go with it', async () => {
  const user = userEvent.setup();
  show(
    <>
      <IconButton label="搜索" keys="Ctrl K">
        <svg aria-hidden />
      </IconButton>
      <Button>下一个</Button>
    </>,
  );
  await user.tab();
  expect((await screen.findByRole('tooltip')).textContent).toBe('搜索Ctrl K');
  await user.tab();
  await waitFor(() => expect(screen.queryByRole('tooltip')).toBeNull());
});

test('Transfer keeps the order of taking', async () => {
  const user = userEvent.setup();
  const change = vi.fn();
  const options = ['甲', '乙', '丙'].map((label) => ({ id: label, label }));
  show(<Transfer label="列" options={options} value={['丙']} onChange={change} />);
  await user.click(screen.getByRole('option', { name: '甲' }));
  await user.click(screen.getByRole('button', { name: '移到已选' }));
  expect(change).toHaveBeenCalledWith(['丙', '甲']);
});

describe('Toasts', () => {
  const pass = (ms: number) => act(() => vi.advanceTimersByTime(ms));

  test('go by themselves, but not while they are pointed at', () => {
    vi.useFakeTimers();
    const view = show(<Toasts />);
    act(() => toast('已保存'));
    pass(4_000);
    act(() =>
      view.container.querySelector('section')?.dispatchEvent(new PointerEvent('pointerover', { bubbles: true })),
    );
    pass(60_000);
    expect(screen.getByText('已保存')).toBeTruthy();
    act(() =>
      view.container.querySelector('section')?.dispatchEvent(new PointerEvent('pointerout', { bubbles: true })),
    );
    pass(5_000);
    expect(screen.queryByText('已保存')).toBeNull();
  });

  test('take back what was done', async () => {
    const user = userEvent.setup();
    const undo = vi.fn();
    show(<Toasts />);
    act(() => toastUndo('已归档', undo));
    await user.click(screen.getByRole('button', { name: '撤销' }));
    expect(undo).toHaveBeenCalledOnce();
    expect(screen.queryByText('已归档')).toBeNull();
  });

  test('three at once, the others in their turn', () => {
    vi.useFakeTimers();
    show(<Toasts />);
    act(() => {
      for (const n of ['一', '二', '三', '四']) toast(n);
    });
    expect(screen.queryByText('四')).toBeNull();
    pass(5_100);
    expect(screen.getByText('四')).toBeTruthy();
    pass(5_100);
    expect(screen.queryByText('四')).toBeNull();
  });
});

test('files that cannot be used are named, the others are taken', () => {
  const file = (name: string, type: string, size: number) => ({ name, type, size }) as File;
  const files = [
    file('a.png', 'image/png', 10),
    file('b.exe', 'application/x-msdownload', 10),
    file('c.png', 'image/png', 99),
  ];
  const some = sorted(files, { accept: ['image/*'], maxBytes: 50, most: 3 });
  expect(some.good.map((f) => f.name)).toEqual(['a.png']);
  expect(some.bad).toEqual({ why: 'kind', name: 'b.exe' });
  expect(sorted([files[0] as File, files[0] as File], { maxBytes: 50, most: 1 }).bad).toEqual({ why: 'too_many' });
});

test('rare characters without a glyph are found, common ones are not looked at', () => {
  const draw = vi.fn((c: string) => (c === '𠮷' ? 'glyph' : 'box'));
  expect(missingGlyphs('王𠮷㛃㛃', 'x', draw)).toEqual(['㛃']);
  expect(draw).not.toHaveBeenCalledWith('王');
});
