import { cell } from './signal.ts';

/** Where somebody is: `#/markets/BTCUSDT?days=30`. It is all in the address, so that a link leads to the same view. */
export interface Place {
  /** `['markets', 'BTCUSDT']`; empty for the first page. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

export function placeOf(hash: string): Place {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return { path: path.split('/').filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

export function linkTo(path: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const text = new URLSearchParams(query).toString();
  return `#/${path.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}

export const placeCell = cell<Place>(placeOf(typeof location === 'undefined' ? '' : location.hash));

export function followAddress(): void {
  addEventListener('hashchange', () => placeCell.set(placeOf(location.hash)));
}

export function go(path: readonly string[], query: Readonly<Record<string, string>> = {}): void {
  location.hash = linkTo(path, query);
}

/** Changes what is asked of this page, without a step that the back button would have to undo. */
export function refine(changes: Readonly<Record<string, string | null>>): void {
  const { path, query } = placeCell.get();
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') next.delete(name);
    else next.set(name, value);
  }
  history.replaceState(null, '', linkTo(path, Object.fromEntries(next)));
  placeCell.set(placeOf(location.hash));
}

/** A part that was typed by hand may be anything. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
