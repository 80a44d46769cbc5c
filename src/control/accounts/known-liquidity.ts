import type { LiquidityInput } from '../../limits/market-input.ts';

/** What the last decision knew of each market's volume and depth; nothing before the first. */
export class KnownLiquidity {
  #bySymbol: ReadonlyMap<string, LiquidityInput | null> = new Map();

  set(liquidity: Readonly<Record<string, LiquidityInput | null>>): void {
    this.#bySymbol = new Map(Object.entries(liquidity));
  }

  of(symbol: string): LiquidityInput | null {
    return this.#bySymbol.get(symbol) ?? null;
  }
}
