import type { Track } from '../../answers.ts';

/** A column of values parallel to times, null where there is none. */
type Values = readonly (number | null)[];

export interface PriceAndLeverage {
  readonly times: readonly number[];
  readonly price: Values;
  /** What the decision that was in force allowed. */
  readonly leverage: Values;
}

/** Prices at the close of each bar, and the leverage of the newest decision by then. */
export function priceAndLeverage({ bars, intervalMilliseconds, decisions }: Track): PriceAndLeverage {
  const priced = new Map(bars.openTime.map((open, i) => [open + intervalMilliseconds, bars.close[i]]));
  const decided = new Map(decisions.map(({ asOf, maxLeverage }) => [Date.parse(asOf), maxLeverage]));
  const times = [...new Set([...priced.keys(), ...decided.keys()])].toSorted((a, b) => a - b);
  let inForce: number | null = null;
  const leverage = times.map((time) => {
    inForce = decided.get(time) ?? inForce;
    return inForce;
  });
  return { times, price: times.map((time) => priced.get(time) ?? null), leverage };
}

export interface Excursions {
  /** When each was forecast, epoch milliseconds. */
  readonly times: readonly number[];
  /** Shares of the price: longs lose below zero, shorts above. */
  readonly longBound: Values;
  readonly shortBound: Values;
  readonly longLoss: Values;
  readonly shortLoss: Values;
  /** The losses beyond their bound. */
  readonly exceedances: Values;
  readonly shortExceedances: Values;
}

/** What each decision forecast, and what came of it within its horizon. */
export function excursions({ decisions }: Track): Excursions {
  const signed = (value: number | null | undefined, sign: number): number | null =>
    value === null || value === undefined ? null : sign * value;
  return {
    times: decisions.map(({ asOf }) => Date.parse(asOf)),
    longBound: decisions.map(({ valueAtRisk }) => signed(valueAtRisk.long, -1)),
    shortBound: decisions.map(({ valueAtRisk }) => signed(valueAtRisk.short, 1)),
    longLoss: decisions.map(({ realised }) => signed(realised?.long, -1)),
    shortLoss: decisions.map(({ realised }) => signed(realised?.short, 1)),
    exceedances: decisions.map(({ realised, exceeded }) =>
      exceeded?.long ? signed(realised?.long, -1) : null,
    ),
    shortExceedances: decisions.map(({ realised, exceeded }) =>
      exceeded?.short ? signed(realised?.short, 1) : null,
    ),
  };
}
