import { type DecisionContext, decideMarket } from '../../limits/decide.ts';
import type { GovernanceState } from '../../limits/governance.ts';
import type { MarketInput } from '../../limits/market-input.ts';
import type { LimitBook, MarketLimit } from '../../limits/types.ts';

/** A market under a governance that is not in force. */
export interface Trial {
  readonly symbol: string;
  readonly governance: GovernanceState;
}

/** What the next decision would make of each trial; null for a market that has no input. */
export type Preview = (
  book: LimitBook,
  now: number,
  trials: readonly Trial[],
) => Promise<readonly (MarketLimit | null)[]>;

/**
 * Decides single markets again, from the inputs of the last decision and under another governance. Nothing is learned,
 * published or stored by it.
 */
export class Trials {
  #inputs: ReadonlyMap<string, MarketInput> = new Map();
  #context: DecisionContext | null = null;

  keep(inputs: readonly MarketInput[], context: DecisionContext): void {
    this.#inputs = new Map(inputs.map((input) => [input.symbol, input]));
    this.#context = context;
  }

  /** The last decision's inputs of some markets, and what it was made with; null before the first. */
  kept(
    symbols: readonly string[],
  ): { readonly inputs: readonly MarketInput[]; readonly context: DecisionContext } | null {
    if (this.#context === null) return null;
    const inputs = symbols.map((symbol) => this.#inputs.get(symbol)).filter((input) => input !== undefined);
    return { inputs, context: this.#context };
  }

  decide(book: LimitBook, now: number, trials: readonly Trial[]): readonly (MarketLimit | null)[] {
    const context = this.#context;
    const before = new Map(book.markets.map((market) => [market.symbol, market]));
    return trials.map(({ symbol, governance }) => {
      const input = this.#inputs.get(symbol);
      if (context === null || input === undefined) return null;
      const decidedAt = Math.max(now, book.decidedAt);
      return decideMarket(input, before.get(symbol) ?? null, { ...context, governance, decidedAt });
    });
  }
}
