import { Users } from 'lucide-react';
import { lazy, useMemo, useState } from 'react';
import { AppError } from '~/api/client';
import { useLocale } from '~/i18n';
import { Button } from '~/ui/Button';
import { type Column, DataTable } from '~/ui/DataTable';
import { EmptyState, FailedState } from '~/ui/EmptyState';
import type { Chosen } from '~/ui/OrgPicker';
import { SkeletonForm, SkeletonRows, SkeletonTable } from '~/ui/Skeleton';
import { Tabs } from '~/ui/Tabs';
import { Transfer } from '~/ui/Transfer';
import { broken, type Customer, company, customers } from './data';
import styles from './Gallery.module.css';
import { Part } from './Part';
import { useWords } from './texts';

const OrgPicker = lazy(() => import('~/ui/OrgPicker').then((m) => ({ default: m.OrgPicker })));

export function Lists() {
  return (
    <>
      <People />
      <Tables />
      <Waiting />
    </>
  );
}

function People() {
  const w = useWords();
  const [picked, setPicked] = useState<Chosen[]>([]);
  const [some, setSome] = useState<Chosen[]>([]);
  const [columns, setColumns] = useState<string[]>(['city']);
  const options = Object.entries(w.columns).map(([id, label]) => ({ id, label }));
  return (
    <Part title={w.people}>
      <div className={styles.grid}>
        <div className={styles.panel}>
          <h3>{w.pickPeople}</h3>
          <div className={styles.tall}>
            <OrgPicker source={company} picked={picked} onChange={setPicked} />
          </div>
        </div>
        <div className={styles.panel}>
          <h3>{w.pickUnits}</h3>
          <div className={styles.tall}>
            <OrgPicker source={company} picked={some} onChange={setSome} units />
          </div>
        </div>
        <div className={styles.panel}>
          <h3>{w.waiting}</h3>
          <OrgPicker source={broken} picked={[]} onChange={() => {}} />
        </div>
      </div>
      <Transfer label={w.transfer} options={options} value={columns} onChange={setColumns} />
    </Part>
  );
}

function Tables() {
  const w = useWords();
  const locale = useLocale();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set(['c1']));
  const small = useMemo(() => customers(12), []);
  const large = useMemo(() => customers(1_000), []);
  const columns = useMemo((): Column<Customer>[] => {
    const money = new Intl.NumberFormat(locale);
    return [
      { id: 'name', label: w.columns.name, cell: (c) => c.name, by: (c) => c.name, width: '2fr', minWidth: 140 },
      { id: 'city', label: w.columns.city, cell: (c) => c.city, by: (c) => c.city, width: 120 },
      { id: 'owner', label: w.columns.owner, cell: (c) => c.owner, by: (c) => c.owner, width: 120 },
      { id: 'deals', label: w.columns.deals, cell: (c) => c.deals, by: (c) => c.deals, width: 96, numeric: true },
      {
        id: 'amount',
        label: w.columns.amount,
        cell: (c) => money.format(c.amount),
        by: (c) => c.amount,
        width: 140,
        numeric: true,
      },
    ];
  }, [w, locale]);
  const [tab, setTab] = useState<'small' | 'large'>('small');
  return (
    <Part title={w.table}>
      <Tabs
        label={w.table}
        value={tab}
        onChange={setTab}
        tabs={[
          {
            id: 'small',
            label: w.small,
            panel: (
              <DataTable
                label={w.small}
                columns={columns}
                rows={small}
                idOf={(c) => c.id}
                selected={selected}
                onSelect={setSelected}
                empty={w.noRows}
              />
            ),
          },
          {
            id: 'large',
            label: w.large,
            panel: <DataTable label={w.large} columns={columns} rows={large} idOf={(c) => c.id} empty={w.noRows} />,
          },
        ]}
      />
    </Part>
  );
}

function Waiting() {
  const w = useWords();
  return (
    <Part title={w.waiting}>
      {/* What waits for ever here is a sample, and nothing to wait for. */}
      <div className={styles.grid} data-sample>
        <div className={styles.panel}>
          <SkeletonRows rows={3} />
        </div>
        <div className={styles.panel}>
          <SkeletonTable rows={4} columns={3} />
        </div>
        <div className={styles.panel}>
          <SkeletonForm fields={2} />
        </div>
        <div className={styles.panel}>
          <EmptyState icon={<Users aria-hidden />} title={w.noRows} action={<Button>{w.add}</Button>}>
            {w.emptyText}
          </EmptyState>
        </div>
        <div className={styles.panel}>
          <FailedState error={new AppError('network', 0)} retry={() => {}} />
        </div>
      </div>
    </Part>
  );
}
