import type { ReactNode } from 'react';
import { Tabs as AriaTabs, Tab, TabList, TabPanel } from 'react-aria-components/Tabs';
import styles from './Tabs.module.css';

/** Sides of one thing. Panels that are not looked at are not drawn. */
export function Tabs<T extends string>({
  label,
  value,
  onChange,
  tabs,
}: {
  label: string;
  value: T;
  onChange: (value: T) => void;
  tabs: readonly { id: T; label: string; panel: ReactNode; isDisabled?: boolean }[];
}) {
  return (
    <AriaTabs selectedKey={value} onSelectionChange={(key) => onChange(key as T)} className={styles.tabs ?? ''}>
      <TabList aria-label={label} className={styles.list ?? ''}>
        {tabs.map((t) => (
          <Tab key={t.id} id={t.id} isDisabled={t.isDisabled ?? false} className={styles.tab ?? ''}>
            {t.label}
          </Tab>
        ))}
      </TabList>
      {tabs.map((t) => (
        <TabPanel key={t.id} id={t.id} className={styles.panel ?? ''}>
          {t.panel}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}
