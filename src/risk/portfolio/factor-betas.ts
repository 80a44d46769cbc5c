import { PlimsollError } from '../../errors.ts';
import type { AlignedMarkets } from './aligned-returns.ts';
import { type FactorLink, factorOf, linkToFactor, livingReturns, othersThan } from './factor-link.ts';

export interface FactorBeta {
  readonly market: string;
  readonly beta: number;
  readonly rule: FactorLink['rule'];
  /** Slots that it rests on. */
  readonly overlap: number;
}

/**
 * How each market moves with the mean log return of all the others, over its own life and from measured and carried bars
 * alone; see `FactorLink` for the rules.
 *
 * @throws PlimsollError DATA_INSUFFICIENT for a market beside which no other moved: it has no beta.
 */
export function factorBetas(aligned: AlignedMarkets): readonly FactorBeta[] {
  const { markets, accounts } = aligned;
  const returns = livingReturns(aligned, accounts);
  const everyone = factorOf(returns, accounts, [...accounts.keys()]);
  return accounts.map((life, m) => {
    const link = linkToFactor(returns, m, life, othersThan(returns, m, life, everyone));
    if (link.rule === 'none')
      throw new PlimsollError('DATA_INSUFFICIENT', `${markets[m]} has no other market to move with`, {
        remedy: 'Add markets, or give its beta.',
      });
    return { market: markets[m], beta: link.beta, rule: link.rule, overlap: link.overlap };
  });
}
