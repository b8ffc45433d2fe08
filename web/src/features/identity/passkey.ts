/**
 * Passkeys: the face, the finger or the code of the device. What the browser says no to becomes an `AppError`, like
 * everything else that can go wrong.
 */
import {
  browserSupportsWebAuthn,
  startAuthentication,
  startRegistration,
  WebAuthnAbortService,
} from '@simplewebauthn/browser';
import { AppError } from '~/api/client';
import { session } from '~/core/store/session';

/** The server offers them and this browser knows them. */
export function passkeysHere(): boolean {
  return Boolean(session.getState().server?.passkeys) && browserSupportsWebAuthn();
}

/** What the server gave for the browser, as its own library names it. */
interface Options {
  publicKey: unknown;
}

type Creation = Parameters<typeof startRegistration>[0]['optionsJSON'];
type Request = Parameters<typeof startAuthentication>[0]['optionsJSON'];

/** What the device made, as the API document calls any object. */
export type Credential = Record<string, never>;

export function createPasskey(options: unknown): Promise<Credential> {
  return said(startRegistration({ optionsJSON: (options as Options).publicKey as Creation }));
}

export function assertPasskey(options: unknown): Promise<Credential> {
  return said(startAuthentication({ optionsJSON: (options as Options).publicKey as Request }));
}

/** A ceremony that is open while its screen is left would answer into nothing. */
export function dropPasskeyCeremony(): void {
  WebAuthnAbortService.cancelCeremony();
}

async function said(asking: Promise<unknown>): Promise<Credential> {
  try {
    return (await asking) as Credential;
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    // The browser tells "cancelled", "timed out" and "none here" apart for nobody.
    if (name === 'InvalidStateError') throw new AppError('passkey_known', -1);
    throw new AppError(
      name === 'NotAllowedError' || name === 'AbortError' ? 'passkey_cancelled' : 'passkey_failed',
      -1,
    );
  }
}
