import { type FormEvent, useState } from 'react';
import { useStore } from 'zustand';
import type { Contact } from '~/api/types';
import { session } from '~/core/store/session';
import { useLocale, useT } from '~/i18n';
import { fullTime } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { Confirm, Dialog } from '~/ui/Dialog';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { Row, Rows, Section } from '~/ui/Section';
import { Select } from '~/ui/Select';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import { addContact, removeContact, showContact, verifyContact } from '../api';
import { CodeField } from './CodeField';
import type { Prove } from './PasswordPart';

type Kind = Contact['kind'];

/** E-mail and phone: never needed, each with whether it was proven and who may see it. */
export function ContactsPart({
  contacts,
  prove,
  onChanged,
}: {
  contacts: Contact[];
  prove: Prove;
  onChanged: () => void;
}) {
  const t = useT();
  const can = useStore(session, (s) => s.server?.can);
  const [adding, setAdding] = useState<Kind>();
  const [verifying, setVerifying] = useState<Contact>();
  const done = () => {
    setAdding(undefined);
    setVerifying(undefined);
    onChanged();
  };
  return (
    <Section title={t('identity:contacts.title')} text={t('identity:contacts.text')}>
      <Rows>
        {contacts.map((c) => (
          <ContactRow key={c.id} contact={c} prove={prove} onVerify={() => setVerifying(c)} onChanged={onChanged} />
        ))}
        {(['email', 'phone'] as const).map((kind) =>
          contacts.some((c) => c.kind === kind) || !(kind === 'email' ? can?.email : can?.sms) ? null : (
            <Row
              key={kind}
              words={kind === 'email' ? t('identity:contacts.no_email') : t('identity:contacts.no_phone')}
            >
              <Button onPress={() => setAdding(kind)}>{t('identity:contacts.add')}</Button>
            </Row>
          ),
        )}
      </Rows>
      {can?.email || can?.sms ? null : <p>{t('identity:contacts.nothing_sent')}</p>}
      {adding ? (
        <AddDialog
          kind={adding}
          prove={prove}
          onClose={() => setAdding(undefined)}
          onAdded={(c) => {
            setAdding(undefined);
            setVerifying(c);
            onChanged();
          }}
        />
      ) : null}
      {verifying ? <VerifyDialog contact={verifying} onClose={() => setVerifying(undefined)} onDone={done} /> : null}
    </Section>
  );
}

function ContactRow({
  contact,
  prove,
  onVerify,
  onChanged,
}: {
  contact: Contact;
  prove: Prove;
  onVerify: () => void;
  onChanged: () => void;
}) {
  const t = useT();
  const locale = useLocale();
  const [asking, setAsking] = useState(false);
  const remove = useSubmit(async () => {
    await prove(() => removeContact(contact.id));
    toast(contact.verified ? t('identity:contacts.leaving') : t('identity:contacts.removed'));
    onChanged();
  });
  const show = useSubmit(async (visible: Contact['visible_to']) => {
    await showContact(contact.id, visible);
    onChanged();
  });
  const state = contact.pending_until
    ? t('identity:contacts.pending', { when: fullTime(locale, contact.pending_until) })
    : contact.verified
      ? t('identity:contacts.verified')
      : t('identity:contacts.unverified');
  const options = [
    { id: 'nobody', label: t('identity:contacts.to.nobody') },
    { id: 'colleagues', label: t('identity:contacts.to.colleagues') },
    { id: 'friends', label: t('identity:contacts.to.friends') },
    { id: 'both', label: t('identity:contacts.to.both') },
  ] as const;
  return (
    <>
      <Row words={contact.address} below={remove.general() ?? show.general() ?? state}>
        {contact.verified ? (
          <Select
            label={t('identity:contacts.visible_to')}
            value={contact.visible_to}
            options={options}
            onChange={(v) => void show.submit(v)}
          />
        ) : (
          <Button kind="primary" onPress={onVerify}>
            {t('identity:contacts.verify')}
          </Button>
        )}
        <Button isPending={remove.pending} onPress={() => setAsking(true)}>
          {t('identity:contacts.remove')}
        </Button>
      </Row>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => void remove.submit()}
        title={t('identity:contacts.remove_title', { address: contact.address })}
        confirm={t('identity:contacts.remove')}
      >
        {contact.verified ? t('identity:contacts.remove_text') : t('identity:contacts.remove_unverified')}
      </Confirm>
    </>
  );
}

function AddDialog({
  kind,
  prove,
  onClose,
  onAdded,
}: {
  kind: Kind;
  prove: Prove;
  onClose: () => void;
  onAdded: (contact: Contact) => void;
}) {
  const t = useT();
  const [address, setAddress] = useState('');
  const { submit, pending, at, general } = useSubmit(async () =>
    onAdded(await prove(() => addContact(kind, address.trim()))),
  );
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  const email = kind === 'email';
  return (
    <Dialog
      title={email ? t('identity:contacts.add_email') : t('identity:contacts.add_phone')}
      open
      onClose={onClose}
      sheet
    >
      <form className={form.form} onSubmit={onSubmit}>
        <Field
          label={email ? t('identity:reset.email') : t('identity:reset.phone')}
          hint={email ? undefined : t('identity:contacts.phone_hint')}
          type={email ? 'email' : 'tel'}
          inputMode={email ? 'email' : 'tel'}
          autoComplete={email ? 'email' : 'tel'}
          value={address}
          onChange={setAddress}
          error={at('address')}
          autoFocus
          isRequired
        />
        <FormError>{general('address')}</FormError>
        <Button kind="primary" wide type="submit" isPending={pending}>
          {t('identity:reset.send')}
        </Button>
      </form>
    </Dialog>
  );
}

function VerifyDialog({ contact, onClose, onDone }: { contact: Contact; onClose: () => void; onDone: () => void }) {
  const t = useT();
  const [code, setCode] = useState('');
  const { submit, pending, at, general } = useSubmit(async () => {
    await verifyContact(contact.id, code);
    toast(t('identity:contacts.verified_now'));
    onDone();
  });
  const again = useSubmit(async () => {
    await addContact(contact.kind, contact.address);
    toast(t('identity:contacts.sent_again'));
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return (
    <Dialog title={t('identity:contacts.verify_title')} open onClose={onClose} sheet>
      <form className={form.form} onSubmit={onSubmit}>
        <p>{t('identity:contacts.sent', { address: contact.address })}</p>
        <CodeField
          label={t('identity:reset.code')}
          value={code}
          onChange={setCode}
          error={at('code') ?? general('code')}
        />
        <FormError>{again.general()}</FormError>
        <Button kind="primary" wide type="submit" isPending={pending}>
          {t('identity:contacts.verify')}
        </Button>
        <Button kind="quiet" wide isPending={again.pending} onPress={() => void again.submit()}>
          {t('identity:reset.again')}
        </Button>
      </form>
    </Dialog>
  );
}
