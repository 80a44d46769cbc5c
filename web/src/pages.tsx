import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { MarketsPage } from './pages/markets.tsx';
import { linkTo } from './route.ts';

interface Section {
  readonly title: string;
  readonly path: readonly string[];
  /** Goes there after `g`. */
  readonly letter: string;
}

/** What the navigation lists. */
export const SECTIONS: readonly Section[] = [
  { title: 'Markets', path: [], letter: 'm' },
  { title: 'What if', path: ['what-if'], letter: 'w' },
  { title: 'System', path: ['system'], letter: 's' },
  { title: 'Governance', path: ['governance'], letter: 'v' },
  { title: 'Models', path: ['models'], letter: 'o' },
  { title: 'Audit', path: ['audit'], letter: 'a' },
];

/** What a page is drawn with: the parts of the address after its own name. */
export interface PageProps {
  readonly rest: readonly string[];
}

interface Page {
  readonly title: string;
  readonly draw: () => ComponentChildren;
}

/** All but the first are loaded when they are gone to. */
const LAZY: Readonly<
  Record<string, readonly [title: string, load: () => Promise<ComponentType<PageProps>>]>
> = {
  market: ['Market', async () => (await import('./pages/market.tsx')).MarketPage],
  'what-if': ['What if', async () => (await import('./pages/what-if.tsx')).WhatIfPage],
  system: ['System', async () => (await import('./pages/system.tsx')).SystemPage],
  governance: ['Governance', async () => (await import('./pages/governance.tsx')).GovernancePage],
  models: ['Models', async () => (await import('./pages/models.tsx')).ModelsPage],
  audit: ['Audit', async () => (await import('./pages/audit.tsx')).AuditPage],
};

export function pageOf(path: readonly string[]): Page {
  const [section, ...rest] = path;
  if (section === undefined || (section === 'markets' && rest.length === 0))
    return { title: 'Markets', draw: () => <MarketsPage /> };
  const name = section === 'markets' ? 'market' : section;
  if (!Object.hasOwn(LAZY, name)) return { title: 'Nothing here', draw: () => <NothingHere /> };
  const [title] = LAZY[name];
  return {
    title: name === 'market' ? rest[0] : title,
    draw: () => <LazyPage key={name} name={name} rest={rest} />,
  };
}

const loaded = new Map<string, ComponentType<PageProps>>();

function LazyPage({ name, rest }: PageProps & { readonly name: string }) {
  const [isFailed, setFailed] = useState(false);
  const [, setReady] = useState(loaded.has(name));
  useEffect(() => {
    if (loaded.has(name)) return;
    LAZY[name]
      [1]()
      .then((page) => {
        loaded.set(name, page);
        setReady(true);
      })
      .catch(() => setFailed(true));
  }, [name]);
  const Drawn = loaded.get(name);
  if (Drawn !== undefined) return <Drawn rest={rest} />;
  if (isFailed)
    return (
      <p class="notice bad" role="alert">
        This page could not be loaded; the service may have been replaced by a newer one. Load the console
        again.
      </p>
    );
  return <p class="empty">Reading …</p>;
}

function NothingHere() {
  return (
    <div class="empty">
      <h1>There is no such page</h1>
      <p>
        <a href={linkTo([])}>All markets</a>
      </p>
    </div>
  );
}
