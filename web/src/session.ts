import { cell } from './signal.ts';

const KEY = 'plimsoll-key';

/** The key of whoever sits here. It is kept for this tab alone and goes with it. */
export const keyCell = cell<string | null>(sessionStorage.getItem(KEY));
/** Whether the service has asked for a key that is not here, or does not count. */
export const isKeyWanted = cell(false);

export function key(): string | null {
  return keyCell.get();
}

export function takeKey(value: string | null): void {
  if (value === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, value);
  isKeyWanted.set(false);
  keyCell.set(value);
}

export function wantKey(): void {
  isKeyWanted.set(true);
}
