import { survivalProbability } from '../../limits/distribution.ts';
import type { ForecastCell } from '../../limits/types.ts';
import { type CriticalPrices, criticalPrices } from './liquidation.ts';
import { boundedRatio, type MeasuredUnit } from './measure.ts';

/** How far a price may go within the horizon: quantiles of the adverse excursion of each side, as shares of the price. */
export interface Excursions {
  readonly confidences: readonly number[];
  /** Falls: what hurts a long position. Rising with the confidences. */
  readonly long: readonly number[];
  /** Rises. */
  readonly short: readonly number[];
}

/** The excursions that a market's published forecast tells of a horizon; null where it does not of both sides. */
export function excursionsOf(forecasts: readonly ForecastCell[], horizonHours: number): Excursions | null {
  const cells = (side: ForecastCell['side']) =>
    forecasts
      .filter((cell) => cell.side === side && cell.horizonHours === horizonHours)
      .sort((a, b) => a.confidence - b.confidence);
  const [long, short] = [cells('long'), cells('short')];
  const confidences = long.map(({ confidence }) => confidence);
  const isWhole =
    confidences.length > 1 &&
    confidences.length === short.length &&
    short.every(({ confidence }, i) => confidence === confidences[i]);
  if (!isWhole) return null;
  return {
    confidences,
    long: long.map(({ valueAtRisk }) => valueAtRisk),
    short: short.map(({ valueAtRisk }) => valueAtRisk),
  };
}

/**
 * Probability that the price meets a liquidation price within the horizon of the excursions, all other marks as they are:
 * that the fall reaches (mark − below) / mark, or the rise (above − mark) / mark. Where both can happen their sum, which
 * is never too low.
 *
 * @returns 0 to 1; 1 for a unit below maintenance; null where no forecast tells.
 */
export function liquidationProbability(
  { below, above, isBelowMaintenance }: CriticalPrices,
  mark: number,
  excursions: Excursions | null,
): number | null {
  if (isBelowMaintenance) return 1;
  if (excursions === null) return null;
  const { confidences, long, short } = excursions;
  const falls = below === null ? 0 : survivalProbability((mark - below) / mark, long, confidences);
  const rises = above === null ? 0 : survivalProbability((above - mark) / mark, short, confidences);
  return Math.min(falls + rises, 1);
}

/** Width of the difference to either side, as a share of the leverage. */
const LEVERAGE_STEP = 0.01;
/** Of a smaller one there is no share to take. */
const SMALLEST_LEVERAGE = 1e-12;

/**
 * By how much the liquidation probability rises for one unit more of the unit's gross leverage (gross notional over
 * equity): the central difference over ±1 % of the leverage, the positions kept and the collateral set to what that
 * leverage leaves, the liquidation price solved again on either side.
 *
 * @returns null where no forecast tells, or there is no equity or hardly any position to have a leverage.
 */
export function probabilityPerLeverage(
  measured: MeasuredUnit,
  symbol: string,
  mark: number,
  excursions: Excursions | null,
  liquidationRatio: number,
): number | null {
  const leverage = grossLeverage(measured);
  if (excursions === null || measured.equity <= 0 || leverage < SMALLEST_LEVERAGE) return null;
  const probabilityAt = (factor: number): number => {
    const extra = measured.equity / factor - measured.equity;
    const prices = criticalPrices(measured, symbol, liquidationRatio, extra);
    return liquidationProbability(prices, mark, excursions) ?? 0;
  };
  const difference = probabilityAt(1 + LEVERAGE_STEP) - probabilityAt(1 - LEVERAGE_STEP);
  return difference / (2 * LEVERAGE_STEP * leverage);
}

/** Gross marked notional over marked equity. */
export function grossLeverage({ legs, equity }: Pick<MeasuredUnit, 'legs' | 'equity'>): number {
  return boundedRatio(
    legs.reduce((sum, { notional, perQuote }) => sum + notional * perQuote, 0),
    equity,
  );
}
