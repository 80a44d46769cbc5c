import type { Touched } from './caller.ts';

/** What requests name of users and accounts, for keys that are for some users only. */

/** An optional id as a list. */
export function given(id: unknown): readonly string[] {
  return typeof id === 'string' ? [id] : [];
}

/** An order or an account, as parsed JSON. */
export function accountsNamed(value: unknown): readonly string[] {
  const { accountId, userId } = (value ?? {}) as { accountId?: unknown; userId?: unknown };
  return [...given(accountId), ...given(userId)];
}

/** Lines that cannot be read have no effect, so they name nobody. */
export function accountsOfLines(text: unknown): readonly string[] {
  return String(text ?? '')
    .split('\n')
    .flatMap((line) => {
      try {
        return accountsNamed(JSON.parse(line));
      } catch {
        return [];
      }
    });
}

/** A question that names neither a user nor an account is about all. */
export function accountsAskedFor(query: Readonly<Record<string, unknown>>): Touched {
  const named = accountsNamed(query);
  return named.length === 0 ? null : named;
}
