import type { z } from 'zod';
import { isoTime } from '../clock.ts';
import type { TrackedDecision, TrackedMarket, TrackRange, TrackWindow } from '../control/reads.ts';
import { freezeOf, type GovernanceState, overrideOf } from '../limits/governance.ts';
import type { LimitBook, MarketLimit } from '../limits/types.ts';
import { publishedShape } from './shapes.ts';
import type { overviewSchema, trackSchema } from './track-schemas.ts';

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

export function trackShape(
  { version }: LimitBook,
  { symbol, simulated }: MarketLimit,
  { from, to }: TrackRange,
  { bars, decisions, exceedances }: TrackedMarket,
): z.infer<typeof trackSchema> {
  const { intervalMilliseconds, openTime, open, high, low, close } = bars;
  const newest = decisions.at(-1);
  return {
    symbol,
    version,
    simulated,
    horizonHours: newest?.horizonHours ?? null,
    confidence: newest?.confidence ?? null,
    from: isoTime(from),
    to: isoTime(to),
    intervalMilliseconds,
    bars: {
      openTime: [...openTime],
      open: [...open],
      high: [...high],
      low: [...low],
      close: [...close],
    },
    decisions: decisions.map(decisionShape),
    exceedances: { ...exceedances },
  };
}

function decisionShape(decision: TrackedDecision): z.infer<typeof trackSchema>['decisions'][number] {
  const { version, asOf, maxLeverage, bindingBound, horizonHours, confidence, realised, exceeded } = decision;
  return {
    ...{ version, asOf: isoTime(asOf), maxLeverage, bindingBound, horizonHours, confidence },
    valueAtRisk: { long: decision.longValueAtRisk, short: decision.shortValueAtRisk },
    realised: realised === null ? null : { ...realised },
    exceeded: exceeded === null ? null : { ...exceeded },
  };
}
