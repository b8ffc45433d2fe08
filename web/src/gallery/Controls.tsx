import { MoreHorizontal, Send, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Button, IconButton } from '~/ui/Button';
import { Cascader } from '~/ui/Cascader';
import { Checkbox, CheckboxGroup } from '~/ui/Checkbox';
import { Choice } from '~/ui/Choice';
import { ComboBox } from '~/ui/ComboBox';
import { CopyField } from '~/ui/CopyField';
import { Field } from '~/ui/Field';
import { NumberField } from '~/ui/NumberField';
import { RadioGroup } from '~/ui/RadioGroup';
import { SearchField } from '~/ui/SearchField';
import { Select } from '~/ui/Select';
import { TextArea } from '~/ui/TextArea';
import { Toggle } from '~/ui/Toggle';
import { areas } from './data';
import styles from './Gallery.module.css';
import { Part } from './Part';
import { useWords } from './texts';

export function Buttons() {
  const w = useWords();
  return (
    <Part title={w.buttons}>
      <div className={styles.row}>
        <Button kind="primary">
          <Send aria-hidden size={16} />
          {w.primary}
        </Button>
        <Button>{w.plain}</Button>
        <Button kind="quiet">{w.quiet}</Button>
        <Button kind="danger">
          <Trash2 aria-hidden size={16} />
          {w.danger}
        </Button>
        <Button kind="primary" isPending>
          {w.pending}
        </Button>
        <Button isDisabled>{w.off}</Button>
        <Button kind="primary" isDisabled>
          {w.off}
        </Button>
        <IconButton label={w.menu}>
          <MoreHorizontal aria-hidden />
        </IconButton>
        <IconButton label={w.tip} keys="Ctrl K" active>
          <Send aria-hidden />
        </IconButton>
        <IconButton label={w.off} isDisabled>
          <Trash2 aria-hidden />
        </IconButton>
      </div>
    </Part>
  );
}

export function Fields() {
  const w = useWords();
  const [text, setText] = useState('');
  const [amount, setAmount] = useState<number | undefined>(12_800);
  const [days, setDays] = useState<number>();
  const [q, setQ] = useState('云海');
  return (
    <Part title={w.fields}>
      <div className={styles.grid}>
        <Field label={w.name} hint={w.nameHint} value={text} onChange={setText} isRequired />
        <Field label={w.name} error={w.wrong} defaultValue="张伟" />
        <Field label={w.password} type="password" defaultValue="correct horse" />
        <Field label={w.off} isDisabled defaultValue="张伟" />
        <TextArea label={w.reason} hint={w.nameHint} />
        <TextArea label={w.reason} error={w.wrong} />
        <NumberField label={w.amount} unit={w.unit} value={amount} onChange={setAmount} minValue={0} step={100} />
        <NumberField
          label={w.days}
          value={days}
          onChange={setDays}
          minValue={1}
          maxValue={30}
          error={w.wrong}
          isRequired
        />
        <SearchField label={w.search} value={q} onChange={setQ} />
        <CopyField label={w.quiet} text="https://magpie.example/join/7F3K-9Q2M" />
      </div>
    </Part>
  );
}

export function Choices() {
  const w = useWords();
  type Kind = keyof typeof w.kinds;
  type Way = keyof typeof w.ways;
  type View = keyof typeof w.views;
  const kinds = (Object.keys(w.kinds) as Kind[]).map((id) => ({
    id,
    label: w.kinds[id],
    ...(id === 'sick' ? { detail: w.kindDetail } : {}),
    ...(id === 'marriage' ? { isDisabled: true } : {}),
  }));
  const [kind, setKind] = useState<Kind | undefined>('annual');
  const [none, setNone] = useState<Kind>();
  const [ways, setWays] = useState<Way[]>(['app']);
  const [view, setView] = useState<View>('week');
  const [on, setOn] = useState(true);
  const [area, setArea] = useState<readonly string[]>(['zj', 'hz', '西湖区']);
  return (
    <Part title={w.choices}>
      <div className={styles.grid}>
        <Select asField label={w.kind} value={kind} options={kinds} onChange={setKind} hint={w.nameHint} />
        <Select asField label={w.kind} value={none} options={kinds} onChange={setNone} error={w.wrong} isRequired />
        <Select asField label={w.off} value={kind} options={kinds} onChange={setKind} isDisabled />
        <ComboBox label={w.kind} value={none} options={kinds} onChange={setNone} hint={w.nameHint} />
        <ComboBox label={w.kind} value={kind} options={kinds} onChange={setKind} error={w.wrong} />
        <Cascader label={w.area} value={area} options={areas} onChange={setArea} />
        <Cascader label={w.area} value={[]} options={areas} onChange={setArea} error={w.wrong} />
        <RadioGroup label={w.kind} value={kind} options={kinds} onChange={setKind} />
        <RadioGroup label={w.kind} value={none} options={kinds} onChange={setNone} error={w.wrong} inline isRequired />
        <CheckboxGroup
          label={w.remind}
          value={ways}
          options={(Object.keys(w.ways) as Way[]).map((id) => ({ id, label: w.ways[id] }))}
          onChange={setWays}
        />
        <div className={styles.row}>
          <Checkbox defaultSelected>{w.tick}</Checkbox>
          <Checkbox isIndeterminate>{w.some}</Checkbox>
          <Checkbox isDisabled>{w.off}</Checkbox>
        </div>
        <div>
          <Toggle on={on} onChange={setOn}>
            {w.tick}
          </Toggle>
        </div>
        <Choice
          label={w.view}
          value={view}
          options={(Object.keys(w.views) as View[]).map((id) => ({ id, label: w.views[id] }))}
          onChange={setView}
        />
        <Choice
          chips
          label={w.kind}
          value={kind ?? 'annual'}
          options={kinds.map(({ id, label }) => ({ id, label }))}
          onChange={setKind}
        />
      </div>
    </Part>
  );
}
