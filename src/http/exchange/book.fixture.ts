import { decideBook } from '../../limits/decide.ts';
import { context } from '../../limits/test-inputs.ts';
import type { Bracket, LimitBook } from '../../limits/types.ts';
import { leverageToMarginPpmUp, MICROS } from '../../units.ts';
import { marketInputs } from '../test-service.ts';

/** A row of a table as exchanges give it: rates in parts per million, amounts in quote units. */
export type Row = readonly [
  floor: number,
  cap: number,
  leverage: number,
  maintenancePpm: number,
  amount: number,
];

export function bracketsOf(rows: readonly Row[]): Bracket[] {
  return rows.map(([floor, cap, leverage, maintenancePpm, amount], i) => ({
    bracket: i + 1,
    notionalFloor: floor,
    notionalCap: cap,
    maxLeverage: leverage,
    initialMarginRatePpm: leverageToMarginPpmUp(leverage),
    maintenanceMarginRatePpm: maintenancePpm,
    maintenanceAmountMicros: Math.round(amount * MICROS),
  }));
}

/** A book with these markets and tables; everything else is of a market that was decided. */
export function bookWith(tables: Readonly<Record<string, readonly Row[]>>): LimitBook {
  const decided = decideBook(marketInputs(), null, context());
  const [market] = decided.markets;
  const markets = Object.entries(tables).map(([symbol, rows]) => ({
    ...market,
    symbol,
    brackets: bracketsOf(rows),
  }));
  return { ...decided, markets };
}
