import type { z } from 'zod';
import { isoTime } from '../clock.ts';
import type { TrackWindow } from '../control/reads.ts';
import { freezeOf, type GovernanceState, overrideOf } from '../limits/governance.ts';
import type { LimitBook } from '../limits/types.ts';
import { publishedShape } from './shapes.ts';
import type { overviewSchema } from './track-schemas.ts';

/** @param at the time that people's decisions count with, epoch milliseconds. */
export function overviewShape(
  book: LimitBook,
  isExpired: boolean,
  window: TrackWindow,
  governance: GovernanceState,
  at: number,
): z.infer<typeof overviewSchema> {
  return {
    ...publishedShape(book, isExpired),
    reasons: [...book.reasons],
    model: book.model,
    total: book.markets.length,
    times: window.times.map(isoTime),
    markets: book.markets.map((market) => {
      const { symbol, asOf } = market;
      const { leverage, closes, dayAgoMaxLeverage, dayAgoClose } = window.of(symbol);
      return {
        symbol,
        maxLeverage: market.brackets[0].maxLeverage,
        dayAgoMaxLeverage,
        bindingBound: market.bindingBound,
        shockProbability: { ...market.shockProbability },
        quality: market.quality,
        move: market.governor.move,
        asOf: isoTime(asOf),
        simulated: market.simulated,
        frozen: freezeOf(governance, symbol, at) !== null,
        overridden: overrideOf(governance, symbol, at) !== null,
        close: window.closeOf(symbol, asOf),
        dayAgoClose,
        leverage: [...leverage],
        closes: [...closes],
      };
    }),
  };
}
