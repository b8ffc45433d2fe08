import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { fakeApi } from '~/api/testing';
import { show } from '~/ui/testing';
import type { SignedIn } from '../api';
import { SignUpForm } from './SignUpForm';

test('asks for a name and a password only, and says at the field what is wrong', async () => {
  const api = fakeApi();
  api.refuse('post', '/accounts', 'password_too_common', 422, 'password');
  const done = vi.fn();
  const user = userEvent.setup();
  show(<SignUpForm onDone={done} />);
  await user.type(screen.getByRole('textbox', { name: '姓名' }), '李雷');
  const password = screen.getByLabelText('密码');
  await user.type(password, 'password123');
  await user.click(screen.getByRole('button', { name: '继续' }));
  await screen.findByText('这个密码太常见，换一个别人猜不到的');
  expect(password.getAttribute('aria-invalid')).toBe('true');
  expect(done).not.toHaveBeenCalled();
  const signedIn: SignedIn = {
    user: { id: 'u', name: '李雷', login: '李雷2', kind: 'person', created_at: 0 },
    session: { id: 's', device: '', created_at: 0, last_seen_at: 0, current: true, kind: 'cookie', shared: false },
  };
  api.on('post', '/accounts', () => signedIn);
  await user.click(screen.getByRole('button', { name: '继续' }));
  await vi.waitFor(() => expect(done).toHaveBeenCalledOnce());
  expect(api.calls[api.calls.length - 1]?.body).toEqual({ name: '李雷', password: 'password123' });
});

test('whoever is invited is asked for a name and nothing else', async () => {
  const api = fakeApi();
  const signedIn: SignedIn = {
    user: { id: 'u', name: '李雷', kind: 'person', created_at: 0 },
    session: { id: 's', device: '', created_at: 0, last_seen_at: 0, current: true, kind: 'cookie', shared: false },
  };
  api.on('post', '/accounts', () => signedIn);
  const done = vi.fn();
  const user = userEvent.setup();
  show(<SignUpForm invitation="abc" onDone={done} />);
  expect(screen.queryByLabelText('密码')).toBeNull();
  await user.type(screen.getByRole('textbox', { name: '姓名' }), '李雷{Enter}');
  await vi.waitFor(() => expect(done).toHaveBeenCalledOnce());
  expect(api.calls[0]?.body).toEqual({ name: '李雷', invitation: 'abc' });
});
