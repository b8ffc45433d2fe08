/** The one Trusted Types policy of the client (the content security policy names it): addresses of our own workers. */

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): unknown };
}

/** The service worker, and what reads PDF files. */
const OWN = /^\/(sw|assets\/(visitor\/)?pdf\.worker-[\w-]+)\.js$/;

let policy: { createScriptURL(url: string): unknown } | undefined;

/** An address as a browser wants it for a worker; one that is not ours throws a `TypeError`. */
export function workerUrl(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (!trustedTypes) return url;
  // A page may make a policy of a name once.
  policy ??= trustedTypes.createPolicy('magpie', {
    createScriptURL(asked) {
      if (!OWN.test(asked)) throw new TypeError('not a worker of ours');
      return asked;
    },
  });
  return policy.createScriptURL(url) as string;
}
