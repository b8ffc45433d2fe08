import { useState } from 'react';
import { useStore } from 'zustand';
import { sharedNames, shortId } from '~/core/names';
import { useT } from '~/i18n';
import { Avatar } from '~/ui/Avatar';
import { Choice } from '~/ui/Choice';
import { Dialog } from '~/ui/Dialog';
import { Marks } from '~/ui/Marks';
import { PagedList, usePages } from '~/ui/PagedList';
import { listAcks } from '../api';
import { chatUi } from '../ui';
import styles from './ReceiptsDialog.module.css';

type State = 'missing' | 'done';

/** Who has said 收到 and who is missing, by name. */
export function AcksDialog({ conversation }: { conversation: string }) {
  const t = useT();
  const seq = useStore(chatUi, (s) => s.acks);
  return (
    <Dialog
      open={seq !== undefined}
      title={t('chat:ack.title')}
      onClose={() => chatUi.setState({ acks: undefined })}
      sheet
    >
      {seq === undefined ? null : <Lists conversation={conversation} seq={seq} />}
    </Dialog>
  );
}

function Lists({ conversation, seq }: { conversation: string; seq: number }) {
  const t = useT();
  const [state, setState] = useState<State>('missing');
  const [counts, setCounts] = useState<{ done: number; missing: number }>();
  const list = usePages(['acks', conversation, seq, state], async (cursor) => {
    const page = await listAcks(conversation, seq, state, cursor);
    setCounts({ done: page.done, missing: page.missing });
    return page;
  });
  const options: { id: State; label: string }[] = [
    { id: 'missing', label: `${t('chat:ack.missing')} ${counts?.missing ?? ''}`.trim() },
    { id: 'done', label: `${t('chat:ack.done')} ${counts?.done ?? ''}`.trim() },
  ];
  return (
    <>
      <Choice label={t('chat:ack.title')} value={state} options={options} onChange={setState} />
      <PagedList list={list} rows={3} empty={t(state === 'done' ? 'chat:ack.none_done' : 'chat:ack.none_missing')}>
        {(items) => {
          const twins = sharedNames(items);
          return (
            <ul aria-label={options.find((o) => o.id === state)?.label}>
              {items.map((p) => (
                <li key={p.user} className={styles.person}>
                  <Avatar id={p.user} name={p.name} size="small" />
                  <span>{p.name}</span>
                  <Marks of={p} />
                  {twins.has(p.name) ? <span className={styles.detail}>{shortId(p.user)}</span> : null}
                </li>
              ))}
            </ul>
          );
        }}
      </PagedList>
    </>
  );
}
