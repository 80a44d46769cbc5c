import type { Bracket } from '../../answers.ts';

/** A row of the table in force beside the row that the same notional had before. */
export interface ComparedBracket {
  readonly now: Bracket;
  /** Null where the earlier table refused such a notional; undefined where there is no earlier table. */
  readonly before: Bracket | null | undefined;
}

/** By what a position at the row's cap was held to, because tables may have other numbers of rows. */
export function compared(
  now: readonly Bracket[],
  before: readonly Bracket[] | null,
): readonly ComparedBracket[] {
  return now.map((row) => ({
    now: row,
    before:
      before === null
        ? undefined
        : (before.find(({ notionalCap }) => BigInt(notionalCap) >= BigInt(row.notionalCap)) ?? null),
  }));
}
