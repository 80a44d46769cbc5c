import type { AccountBook } from '../../accounts/book/account-book.ts';
import type { MarketTerms } from '../../accounts/book/market-rows.ts';
import type { Planner } from '../../accounts/interventions/engine.ts';
import type { Leg, MarginMarket, MarginUnit } from '../../accounts/margin/account.ts';
import { measureUnit } from '../../accounts/margin/measure.ts';
import { reductionPlan } from '../../accounts/margin/reduction.ts';
import { type MarginTable, marginTableOf } from '../../accounts/margin/table.ts';
import type { Policy } from '../../limits/policy.ts';
import type { KnownLiquidity } from './known-liquidity.ts';

/** What has to be reduced so that a unit's ratio is at the policy's target, at the marks and tables of the book. */
export function plannerFor(book: AccountBook, policy: Policy, known: KnownLiquidity): Planner {
  const tables = new Map<MarketTerms, Pick<MarginMarket, 'initial' | 'maintenance'>>();
  const marketOf = (row: number): MarginMarket => {
    const { markets } = book;
    const terms = markets.terms[row];
    const table = tables.get(terms) ?? tablesOf(terms);
    tables.set(terms, table);
    const { symbol, kind, contractSize } = terms;
    const mark = Number.isNaN(markets.mark[row]) ? null : markets.mark[row];
    return {
      symbol,
      contract: { kind, contractSize },
      mark,
      ...table,
      beta: null,
      excursions: null,
      liquidity: known.of(symbol),
    };
  };
  return (row, only) => {
    const unit = unitOf(book, row, only, marketOf);
    const measured = measureUnit(unit, policy.accounts);
    return measured === null ? [] : reductionPlan(measured, policy).items;
  };
}

/** @param only row of an isolated position; −1 for the shared margin. */
function unitOf(
  book: AccountBook,
  row: number,
  only: number,
  marketOf: (row: number) => MarginMarket,
): MarginUnit {
  const first = book.firstPosition[row];
  const legs: Leg[] = book.recordOf(row).positions.flatMap(({ market, isolatedMargin, ...position }, i) => {
    const isOwn = !Number.isNaN(isolatedMargin);
    if (only < 0 ? isOwn : first + i !== only) return [];
    const one = marketOf(market);
    return [
      {
        position: { symbol: one.symbol, ...position, isolatedMargin: isOwn ? isolatedMargin : null },
        market: one,
      },
    ];
  });
  return only < 0
    ? { kind: 'cross', collateral: book.collateral[row], legs }
    : { kind: 'isolated', collateral: book.isolatedMargin[only], legs };
}

function tablesOf({ brackets, maintenance }: MarketTerms): {
  initial: MarginTable;
  maintenance: MarginTable;
} {
  return { initial: marginTableOf(brackets), maintenance: marginTableOf(maintenance) };
}
