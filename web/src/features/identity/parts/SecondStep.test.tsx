import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { AppError } from '~/api/client';
import { show } from '~/ui/testing';
import { SecondStep, secondMethods } from './SecondStep';

const wanting = (context: Record<string, unknown>) =>
  new AppError('second_factor_required', 401, { code: 'second_factor_required', context });

test('the app is not asked for where the server cannot check it', async () => {
  const give = vi.fn(() => Promise.resolve());
  const user = userEvent.setup();
  const methods = secondMethods(wanting({ methods: ['recovery_code'] }));
  show(<SecondStep methods={methods} onGive={give} onBack={() => {}} />);
  expect(screen.queryByRole('button', { name: '用验证器应用' })).toBeNull();
  expect(screen.getByText('服务器现在核对不了验证器应用，请用一个恢复码。')).toBeTruthy();
  await user.type(screen.getByRole('textbox'), ' 01ab-cdef-ghjk {Enter}');
  await vi.waitFor(() => expect(give).toHaveBeenCalledWith({ recovery_code: '01ab-cdef-ghjk' }));
});

test('either is offered, also by a server that does not say what it takes', () => {
  for (const context of [{ methods: ['totp', 'recovery_code'] }, {}]) {
    const { unmount } = show(
      <SecondStep methods={secondMethods(wanting(context))} onGive={() => Promise.resolve()} onBack={() => {}} />,
    );
    expect(screen.getByRole('textbox', { name: '验证码' })).toBeTruthy();
    expect(screen.getByRole('button', { name: /恢复码/ })).toBeTruthy();
    unmount();
  }
});
