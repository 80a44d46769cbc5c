import type { AccountColumns } from '../../accounts/book/columns.ts';
import type { MarketRows } from '../../accounts/book/market-rows.ts';
import { type BookPicture, marketsOfPicture } from '../../accounts/book/picture.ts';
import { cascade } from '../../accounts/system/cascade.ts';
import { cascadeRulesOf, impactColumnsOf } from '../../accounts/system/conditions.ts';
import { crowding } from '../../accounts/system/crowding.ts';
import { buildGroupIndex } from '../../accounts/system/group-index.ts';
import { leverageIndex } from '../../accounts/system/leverage-index.ts';
import { liquidationMap } from '../../accounts/system/liquidation-map.ts';
import {
  type StressShape,
  type SystemShape,
  stressShape,
  systemShape,
} from '../../accounts/system/shapes.ts';
import { type StressScenario, stressTest, uniformScenario } from '../../accounts/system/stress-test.ts';
import { systemStressInput } from '../../accounts/system/system-input.ts';
import { isoTime } from '../../clock.ts';
import type { LiquidityInput, SystemStressInput } from '../../limits/market-input.ts';
import type { Policy } from '../../limits/policy.ts';

/** Falls and rises of the liquidation map, as shares of the mark. */
const MAP_LEVELS = Float64Array.of(
  ...[-0.5, -0.4, -0.3, -0.25, -0.2, -0.15, -0.1, -0.075, -0.05, -0.025, -0.01],
  ...[0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5],
);

/** The fund that is assumed where the policy states none, as a share of the open notional. */
const ASSUMED_FUND_SHARE = 0.01;

/** What a stress asks for: all markets by one share, or some by shares of their own. */
export interface StressRequest {
  readonly move: number;
  readonly moves: Readonly<Record<string, number>>;
}

export interface StressAnswer extends StressShape {
  /** In the quote asset. */
  readonly insuranceFund: number;
  readonly insuranceFundAssumed: boolean;
}

export type SystemQuestion =
  | { readonly kind: 'system'; readonly now: number }
  | ({ readonly kind: 'stress' } & StressRequest)
  | { readonly kind: 'stressInput'; readonly now: number };

/** Everybody at one moment, and what is known of the markets. */
export interface SystemPicture extends BookPicture {
  readonly liquidity: Readonly<Record<string, LiquidityInput | null>>;
}

/** All accounts as one system: what they hold together, and what a shock would set off. */
export function answerSystem(
  question: SystemQuestion,
  picture: SystemPicture,
  policy: Policy,
): SystemShape | StressAnswer | SystemStressInput | null {
  const system = new SystemDesk(picture, policy);
  if (question.kind === 'system') return system.system(question.now);
  return question.kind === 'stress' ? system.stress(question) : system.stressInput(question.now);
}

class SystemDesk {
  readonly #accounts: AccountColumns;
  readonly #markets: MarketRows;
  readonly #liquidity: SystemPicture['liquidity'];
  readonly #policy: Policy;

  constructor(picture: SystemPicture, policy: Policy) {
    this.#accounts = picture.accounts;
    this.#markets = marketsOfPicture(picture);
    this.#liquidity = picture.liquidity;
    this.#policy = policy;
  }

  system(now: number): SystemShape {
    const fund = this.#policy.accounts.insuranceFund ?? Number.NaN;
    const { liquidationRatio } = this.#policy.accounts;
    return systemShape(
      isoTime(now),
      this.#markets.symbols,
      leverageIndex(this.#accounts, this.#markets),
      crowding(this.#accounts, this.#markets, this.#impact(), fund),
      liquidationMap(this.#accounts, this.#markets, MAP_LEVELS, liquidationRatio),
    );
  }

  stress({ move, moves }: StressRequest): StressAnswer {
    const markets = this.#markets;
    const scenario = scenarioOf(markets.symbols, move, moves);
    const { fund, isAssumed } = this.#fund();
    const conditions = { impact: this.#impact(), rules: cascadeRulesOf(this.#policy), insuranceFund: fund };
    const [outcome] = stressTest(this.#accounts, markets, [scenario], conditions);
    return {
      ...stressShape(outcome, markets.symbols, markets.mark),
      insuranceFund: fund,
      insuranceFundAssumed: isAssumed,
    };
  }

  /** For the next decision: the leverage of everybody, and the cascades of the policy's shock in both directions. */
  stressInput(now: number): SystemStressInput | null {
    const [accounts, markets] = [this.#accounts, this.#markets];
    if (accounts.accounts === 0) return null;
    const { shockRate } = this.#policy.bounds.systemStress;
    const index = buildGroupIndex(accounts, markets);
    const { fund } = this.#fund();
    const common = { impact: this.#impact(), rules: cascadeRulesOf(this.#policy), insuranceFund: fund };
    const cascades = [-shockRate, shockRate].map((move) =>
      cascade(accounts, markets, { ...common, moves: uniformScenario(markets.markets, move).moves }, index),
    );
    return systemStressInput(leverageIndex(accounts, markets, index), cascades, fund, now);
  }

  #impact() {
    return impactColumnsOf(this.#markets.symbols.map((symbol) => this.#liquidity[symbol] ?? null));
  }

  #fund(): { readonly fund: number; readonly isAssumed: boolean } {
    const stated = this.#policy.accounts.insuranceFund;
    if (stated !== null) return { fund: stated, isAssumed: false };
    const { grossNotional } = leverageIndex(this.#accounts, this.#markets);
    return { fund: ASSUMED_FUND_SHARE * grossNotional, isAssumed: true };
  }
}

/** The move of a market by its own share, of all others by the common one. */
function scenarioOf(
  symbols: readonly string[],
  move: number,
  moves: Readonly<Record<string, number>>,
): StressScenario {
  const uniform = uniformScenario(symbols.length, move);
  const own = Object.keys(moves).length;
  if (own === 0) return uniform;
  return {
    id: move === 0 ? 'own moves' : `${uniform.id} and own moves`,
    description: `${own} markets by shares of their own${move === 0 ? '' : `; ${uniform.description} otherwise`}`,
    moves: Float64Array.from(symbols, (symbol) => moves[symbol] ?? move),
    basis: 'hypothetical',
  };
}
