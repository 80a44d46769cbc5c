import type { System } from '../../answers.ts';

type Market = System['markets'][number];

/** One level of the liquidation map. What is not told at the mark itself is null. */
export interface Rung {
  /** Share of the mark; 0 for what is due already. */
  readonly move: number;
  readonly long: string;
  readonly short: string;
  readonly elsewhere: string | null;
  readonly groups: number | null;
}

/** As prices stand on a screen: the highest first, and the mark between rises and falls. */
export function ladderOf({ liquidations, due }: Pick<Market, 'liquidations' | 'due'>): readonly Rung[] {
  const here: Rung = { move: 0, long: due.long, short: due.short, elsewhere: null, groups: null };
  return [...liquidations.filter(({ move }) => move !== 0), here].toSorted((a, b) => b.move - a.move);
}
