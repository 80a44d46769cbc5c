import type { ContractTerms } from '../../limits/account-policy.ts';
import type { Bracket, LimitBook } from '../../limits/types.ts';
import { MICROS, ppmToRate } from '../../units.ts';
import { BINANCE_MARKETS, contractFacts } from './binance-shape.ts';
import type { Listed } from './listing.ts';

/** What Binance's stream `!contractInfo` says of one market. */
export interface ContractInfo {
  readonly e: 'contractInfo';
  /** When it happened, epoch milliseconds. */
  readonly E: number;
  readonly s: string;
  readonly ps: string;
  readonly ct: string;
  readonly dt: number;
  readonly ot: number;
  readonly cs: 'TRADING' | 'CLOSE';
  /** The whole table, where it is another one than before. */
  readonly bks?: readonly ContractInfoBracket[];
}

export interface ContractInfoBracket {
  /** Number of the bracket. */
  readonly bs: number;
  readonly bnf: number;
  readonly bnc: number;
  readonly mmr: number;
  /** The maintenance amount. */
  readonly cf: number;
  /** The lowest and the highest leverage of the bracket. */
  readonly mi: number;
  readonly ma: number;
}

/**
 * A message for each market whose table is another one in this book, with `bks`, and one without for each that the book
 * has no more. Nothing where nothing has changed: a change of versions alone is none.
 *
 * @param before null for the first book: every table is another one then.
 */
export function contractInfoMessages(
  before: LimitBook | null,
  book: LimitBook,
  contracts: readonly ContractTerms[],
): readonly ContractInfo[] {
  const now = BINANCE_MARKETS.of(book, contracts);
  const then = before === null ? null : BINANCE_MARKETS.of(before, contracts);
  const changed = now.listed.filter(
    ({ name, market }) => !isSameTable(then?.byName.get(name)?.market.brackets, market.brackets),
  );
  const gone = (then?.listed ?? []).filter(({ name }) => !now.byName.has(name));
  return [
    ...changed.map((one) => ({
      ...facts(one, book.decidedAt, 'TRADING'),
      bks: bracketsOf(one.market.brackets),
    })),
    ...gone.map((one) => facts(one, book.decidedAt, 'CLOSE')),
  ];
}

function facts({ name, instrument }: Listed, at: number, cs: ContractInfo['cs']): ContractInfo {
  const { contractType, deliveryDate } = contractFacts(instrument, at);
  const ps = instrument.base + instrument.quote;
  return { e: 'contractInfo', E: at, s: name, ps, ct: contractType, dt: deliveryDate, ot: 0, cs };
}

function bracketsOf(brackets: readonly Bracket[]): ContractInfoBracket[] {
  return brackets.map((bracket, i) => {
    const next = brackets[i + 1];
    return {
      bs: bracket.bracket,
      bnf: bracket.notionalFloor,
      bnc: bracket.notionalCap,
      mmr: ppmToRate(bracket.maintenanceMarginRatePpm),
      cf: bracket.maintenanceAmountMicros / MICROS,
      mi: next === undefined ? 1 : Math.floor(next.maxLeverage) + 1,
      ma: Math.floor(bracket.maxLeverage),
    };
  });
}

/** By what the message tells. */
function isSameTable(before: readonly Bracket[] | undefined, now: readonly Bracket[]): boolean {
  if (before === now) return true;
  return (
    before?.length === now.length &&
    before.every(
      (bracket, i) =>
        bracket.notionalFloor === now[i].notionalFloor &&
        bracket.notionalCap === now[i].notionalCap &&
        bracket.maxLeverage === now[i].maxLeverage &&
        bracket.maintenanceMarginRatePpm === now[i].maintenanceMarginRatePpm &&
        bracket.maintenanceAmountMicros === now[i].maintenanceAmountMicros,
    )
  );
}
