import type { PageProps } from '../pages.tsx';

export function MarketPage(_: PageProps) {
  return <h1>Market</h1>;
}
