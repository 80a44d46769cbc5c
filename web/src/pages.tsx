import type { ComponentChildren } from 'preact';
import { MarketsPage } from './pages/markets.tsx';
import { linkTo } from './route.ts';

/** What the navigation lists, with the letter that goes there after `g`. */
export const SECTIONS: readonly {
  readonly title: string;
  readonly path: readonly string[];
  readonly letter: string;
}[] = [{ title: 'Markets', path: [], letter: 'm' }];

interface Page {
  readonly title: string;
  readonly draw: () => ComponentChildren;
}

export function pageOf(path: readonly string[]): Page {
  const [section] = path;
  if (section === undefined || (section === 'markets' && path.length === 1))
    return { title: 'Markets', draw: () => <MarketsPage /> };
  return { title: 'Nothing here', draw: () => <NothingHere /> };
}

function NothingHere() {
  return (
    <div class="empty">
      <p>There is no such page.</p>
      <p>
        <a href={linkTo([])}>All markets</a>
      </p>
    </div>
  );
}
