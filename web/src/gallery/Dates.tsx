import { useState } from 'react';
import { DateField, DateRangeField, type Day, type DayRange, TimeField } from '~/ui/DateField';
import styles from './Gallery.module.css';
import { Part } from './Part';
import { useWords } from './texts';

/** The same day in every picture. */
const TODAY = '2026-03-05';

export function Dates() {
  const w = useWords();
  const [day, setDay] = useState<Day | undefined>(TODAY);
  const [none, setNone] = useState<Day>();
  const [range, setRange] = useState<DayRange | undefined>({ start: '2026-02-26', end: TODAY });
  const [time, setTime] = useState<string | undefined>('14:05');
  return (
    <Part title={w.dates}>
      <div className={styles.grid}>
        <DateRangeField
          label={w.range}
          value={range}
          onChange={setRange}
          presets={[
            { label: w.today, range: { start: TODAY, end: TODAY } },
            { label: w.week, range: { start: '2026-02-27', end: TODAY } },
            { label: w.month, range: { start: '2026-02-04', end: TODAY } },
          ]}
        />
        <DateField label={w.day} value={day} onChange={setDay} max={TODAY} hint={w.nameHint} />
        <DateField label={w.day} value={none} onChange={setNone} error={w.wrong} isRequired />
        <DateField label={w.off} value={day} onChange={setDay} isDisabled />
        <TimeField label={w.time} value={time} onChange={setTime} />
      </div>
    </Part>
  );
}
