import { CalendarDate, parseDate, parseTime, type Time } from '@internationalized/date';
import { CalendarDays, ChevronLeft, ChevronRight, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from 'react-aria-components/Button';
import {
  Calendar,
  CalendarCell,
  CalendarGrid,
  CalendarGridBody,
  CalendarGridHeader,
  CalendarHeaderCell,
} from 'react-aria-components/Calendar';
import { DateInput, DatePicker, DateSegment } from 'react-aria-components/DatePicker';
import { DateRangePicker } from 'react-aria-components/DateRangePicker';
import { Dialog } from 'react-aria-components/Dialog';
import { Group } from 'react-aria-components/Group';
import { Heading } from 'react-aria-components/Heading';
import { Popover } from 'react-aria-components/Popover';
import { RangeCalendar } from 'react-aria-components/RangeCalendar';
import { TimeField as AriaTimeField } from 'react-aria-components/TimeField';
import { useT } from '~/i18n';
import { cx } from './cx';
import own from './DateField.module.css';
import styles from './Field.module.css';
import { FieldFoot, FieldLabel, type FieldText } from './fieldParts';
import menu from './Menu.module.css';

/** A day as `2026-03-05`: no hour, no zone. */
export type Day = string;
/** A time of day as `14:05`. */
export type TimeOfDay = string;

export interface DayRange {
  start: Day;
  end: Day;
}

interface Limits {
  /** The first and the last day that may be chosen. */
  min?: Day | undefined;
  max?: Day | undefined;
  isDisabled?: boolean;
  isRequired?: boolean;
}

const asDate = (day: Day | undefined): CalendarDate | null => {
  const m = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day ?? '');
  return m ? parseDate(m[0]) : null;
};

const common = ({ min, max, isDisabled, isRequired }: Limits, error: string | undefined) => ({
  ...(asDate(min) ? { minValue: asDate(min) as CalendarDate } : {}),
  ...(asDate(max) ? { maxValue: asDate(max) as CalendarDate } : {}),
  isDisabled: isDisabled ?? false,
  isRequired: isRequired ?? false,
  isInvalid: Boolean(error),
  validationBehavior: 'aria' as const,
  className: styles.field ?? '',
});

/** One day, typed by its parts or picked from a calendar. */
export function DateField({
  label,
  hint,
  error,
  value,
  onChange,
  ...limits
}: FieldText & Limits & { value: Day | undefined; onChange: (value: Day | undefined) => void }) {
  return (
    <DatePicker
      {...common(limits, error)}
      value={asDate(value)}
      onChange={(d) => onChange(d ? d.toString().slice(0, 10) : undefined)}
    >
      <FieldLabel required={limits.isRequired}>{label}</FieldLabel>
      <Box error={error} {...(value && !limits.isDisabled ? { onClear: () => onChange(undefined) } : {})}>
        <Parts />
      </Box>
      <FieldFoot error={error} hint={hint} />
      <Floating>
        <Calendar className={own.calendar ?? ''}>
          <Month />
        </Calendar>
      </Floating>
    </DatePicker>
  );
}

/** From one day to another, both included; the usual spans are one press away. */
export function DateRangeField({
  label,
  hint,
  error,
  value,
  onChange,
  presets,
  ...limits
}: FieldText &
  Limits & {
    value: DayRange | undefined;
    onChange: (value: DayRange | undefined) => void;
    presets?: readonly { label: string; range: DayRange }[];
  }) {
  const t = useT();
  const start = asDate(value?.start);
  const end = asDate(value?.end);
  return (
    <DateRangePicker
      {...common(limits, error)}
      value={start && end ? { start, end } : null}
      onChange={(r) =>
        onChange(r ? { start: r.start.toString().slice(0, 10), end: r.end.toString().slice(0, 10) } : undefined)
      }
    >
      <FieldLabel required={limits.isRequired}>{label}</FieldLabel>
      <Box error={error} {...(value && !limits.isDisabled ? { onClear: () => onChange(undefined) } : {})}>
        <Parts slot="start" />
        <span className={own.until}>{t('ui:date.until')}</span>
        <Parts slot="end" />
      </Box>
      <FieldFoot error={error} hint={hint} />
      <Floating
        aside={
          presets ? (
            <ul className={own.presets}>
              {presets.map((p) => (
                <li key={p.label}>
                  <Button slot={null} className={own.preset ?? ''} onPress={() => onChange(p.range)}>
                    {p.label}
                  </Button>
                </li>
              ))}
            </ul>
          ) : null
        }
      >
        <RangeCalendar className={cx(own.calendar, own.span)}>
          <Month />
        </RangeCalendar>
      </Floating>
    </DateRangePicker>
  );
}

/** A time of day in 24 hours. */
export function TimeField({
  label,
  hint,
  error,
  value,
  onChange,
  isDisabled,
  isRequired,
}: FieldText & {
  value: TimeOfDay | undefined;
  onChange: (value: TimeOfDay | undefined) => void;
  isDisabled?: boolean;
  isRequired?: boolean;
}) {
  return (
    <AriaTimeField<Time>
      value={/^\d\d:\d\d$/.test(value ?? '') ? parseTime(value ?? '') : null}
      onChange={(time) => onChange(time ? time.toString().slice(0, 5) : undefined)}
      hourCycle={24}
      shouldForceLeadingZeros
      isDisabled={isDisabled ?? false}
      isRequired={isRequired ?? false}
      isInvalid={Boolean(error)}
      validationBehavior="aria"
      className={styles.field ?? ''}
    >
      <FieldLabel required={isRequired}>{label}</FieldLabel>
      <div className={cx(styles.box, own.box, own.time, error && styles.wrong)}>
        <Parts />
      </div>
      <FieldFoot error={error} hint={hint} />
    </AriaTimeField>
  );
}

function Parts({ slot }: { slot?: 'start' | 'end' }) {
  return (
    <DateInput {...(slot ? { slot } : {})} className={own.parts ?? ''}>
      {(segment) => <DateSegment segment={segment} className={own.part ?? ''} />}
    </DateInput>
  );
}

function Box({ error, onClear, children }: { error: string | undefined; onClear?: () => void; children: ReactNode }) {
  const t = useT();
  return (
    <Group className={cx(styles.box, own.box, error && styles.wrong)}>
      {children}
      <span className={own.space} />
      {onClear ? (
        <Button slot={null} className={own.open ?? ''} aria-label={t('ui:clear')} onPress={onClear}>
          <X aria-hidden size={16} />
        </Button>
      ) : null}
      <Button className={own.open ?? ''} aria-label={t('ui:date.open')}>
        <CalendarDays aria-hidden size={16} />
      </Button>
    </Group>
  );
}

function Floating({ aside, children }: { aside?: ReactNode; children: ReactNode }) {
  return (
    <Popover className={menu.popover ?? ''}>
      <Dialog className={own.dialog ?? ''}>
        {aside}
        {children}
      </Dialog>
    </Popover>
  );
}

function Month() {
  return (
    <>
      <header className={own.head}>
        <Button slot="previous" className={own.turn ?? ''}>
          <ChevronLeft aria-hidden size={18} />
        </Button>
        <Heading className={own.month ?? ''} />
        <Button slot="next" className={own.turn ?? ''}>
          <ChevronRight aria-hidden size={18} />
        </Button>
      </header>
      <CalendarGrid weekdayStyle="narrow" className={own.grid ?? ''}>
        <CalendarGridHeader>
          {(day) => <CalendarHeaderCell className={own.weekday ?? ''}>{day}</CalendarHeaderCell>}
        </CalendarGridHeader>
        <CalendarGridBody>{(date) => <CalendarCell date={date} className={own.day ?? ''} />}</CalendarGridBody>
      </CalendarGrid>
    </>
  );
}

/** A day of the device's own calendar, for a first value. */
export function dayOf(moment: Date): Day {
  return new CalendarDate(moment.getFullYear(), moment.getMonth() + 1, moment.getDate()).toString();
}
