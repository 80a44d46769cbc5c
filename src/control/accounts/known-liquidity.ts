import type { LiquidityInput } from '../../limits/market-input.ts';

/** What the last decision knew of each market's volume and depth; nothing before the first. */
export class KnownLiquidity {
  #bySymbol: Readonly<Record<string, LiquidityInput | null>> = {};

  set(liquidity: Readonly<Record<string, LiquidityInput | null>>): void {
    this.#bySymbol = liquidity;
  }

  of(symbol: string): LiquidityInput | null {
    return this.#bySymbol[symbol] ?? null;
  }

  all(): Readonly<Record<string, LiquidityInput | null>> {
    return this.#bySymbol;
  }
}
