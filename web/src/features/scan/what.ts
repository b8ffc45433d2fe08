/** What a scanned or typed text is. Pure: it opens nothing, and whatever it does not know stays a text. */

export type Found =
  | { kind: 'join'; code: string; display: string }
  | { kind: 'link'; code: string }
  | { kind: 'person'; code: string }
  | { kind: 'card'; login: string }
  /** Where somebody without an account comes into one conversation. */
  | { kind: 'guest'; code: string }
  /** One of ours, of another server: whoever is signed in here has nothing to do there. */
  | { kind: 'elsewhere'; host: string; text: string }
  | { kind: 'text'; text: string };

const CODE = /^[\w.~-]{1,200}$/;
/** The short code of an invitation, as it is read aloud and typed: two halves of four. */
const SHORT = /^([0-9a-z]{4})[-\s]?([0-9a-z]{4})$/i;

/** `hosts`: the names under which this server is reached. */
export function whatIs(raw: string, hosts: readonly string[]): Found {
  const text = raw.trim();
  const short = SHORT.exec(text);
  if (short?.[1] && short[2]) {
    return {
      kind: 'join',
      code: (short[1] + short[2]).toLowerCase(),
      display: `${short[1]}-${short[2]}`.toUpperCase(),
    };
  }
  const url = address(text);
  const [, place, code] = url ? (/^\/(join|link|u|card|g)\/([^/]+)\/?$/.exec(url.pathname) ?? []) : [];
  if (!url || !place || !code || !CODE.test(code)) return { kind: 'text', text };
  if (!hosts.includes(url.host)) return { kind: 'elsewhere', host: url.host, text };
  if (place === 'join') return { kind: 'join', code, display: code };
  if (place === 'link') return { kind: 'link', code };
  if (place === 'u') return { kind: 'person', code };
  if (place === 'g') return { kind: 'guest', code };
  return { kind: 'card', login: code };
}

function address(text: string): URL | undefined {
  if (!/^https?:\/\//i.test(text)) return undefined;
  try {
    const url = new URL(text);
    // A name before the host is there to deceive.
    return url.username || url.password ? undefined : url;
  } catch {
    return undefined;
  }
}
