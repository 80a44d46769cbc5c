import type { MarketCorrelations } from '../risk/portfolio/common-correlations.ts';

/** A market's net position in an account, and what it can lose. */
export interface Exposure {
  readonly symbol: string;
  /** In quote units: above 0 long, below 0 short. */
  readonly notional: number;
  readonly shortfall: ShortfallRates;
  /** False where it shares its margin with nothing else: what is isolated hedges nothing. */
  readonly nets: boolean;
}

/** ES over the margin-call horizon as a share of the notional, by side; at least 0. */
export interface ShortfallRates {
  readonly long: number;
  readonly short: number;
  /** False where something larger stands in for a forecast that is missing: it nets with nothing. */
  readonly isForecast: boolean;
}

/** Correlations by which positions net, with each market's row. */
export interface Netting {
  readonly correlations: MarketCorrelations;
  readonly rows: ReadonlyMap<string, number>;
}

export function nettingOf(correlations: MarketCorrelations): Netting {
  return { correlations, rows: new Map(correlations.markets.map((symbol, row) => [symbol, row])) };
}

/** Moves of a market in moves of the mean of all; null where nobody measured them. */
export function betaOf(symbol: string, netting: Netting | null): number | null {
  const row = netting?.rows.get(symbol);
  return row === undefined ? null : (netting?.correlations.betas?.[row] ?? null);
}

export const CORRELATION_CASES = ['measured', 'asOne', 'apart'] as const;
export type CorrelationCase = (typeof CORRELATION_CASES)[number];

export interface PortfolioShortfall {
  /** In quote units. */
  readonly expectedShortfall: number;
  /** Under which correlations it is the worst. */
  readonly worst: CorrelationCase;
  /** Σ of the positions' own ES. */
  readonly sumOfStandalone: number;
  /** Every position that may net is in the matrix. */
  readonly isNetted: boolean;
}

/** Squares of what nets, under each of the cases: V(y) = y² + 2 b y + c of one more market's signed ES y. */
interface Quadratic {
  readonly b: number;
  readonly c: number;
}

interface Sums {
  readonly byCase: Readonly<Record<CorrelationCase, Quadratic>>;
  /** What is added in full. */
  readonly added: number;
  readonly isNetted: boolean;
}

/**
 * ES of positions together: √(Σᵢⱼ ρᵢⱼ yᵢ yⱼ), with y a position's own ES, above 0 for a long one. That is how the ES of elliptical
 * returns aggregate (McNeil, Frey and Embrechts 2015, 8.28), with each market's own tail on the side of the position. It is
 * the worst of three correlation matrices: the measured one C; (1 − k) C + k 11ᵀ, under which positions on the same side add
 * up; (1 − k) C + k I, under which hedges fail. All are correlation matrices, so it is never below 0 and never above Σ |yᵢ|.
 *
 * What is isolated, and a market that the matrix does not have, is added in full: nothing of it is netted.
 *
 * @param stressShare k in [0, 1]. @param netting null where no correlations are known.
 */
export function portfolioShortfall(
  exposures: readonly Exposure[],
  netting: Netting | null,
  stressShare: number,
): PortfolioShortfall {
  const { byCase, added, isNetted } = sumsOf(exposures, netting, stressShare, null);
  let worst: CorrelationCase = 'measured';
  for (const name of CORRELATION_CASES) if (byCase[name].c > byCase[worst].c) worst = name;
  return {
    expectedShortfall: Math.sqrt(Math.max(byCase[worst].c, 0)) + added,
    worst,
    sumOfStandalone: exposures.reduce((sum, exposure) => sum + Math.abs(signedShortfall(exposure)), 0),
    isNetted,
  };
}

export interface PortfolioRoom {
  /** The most notional of the market on the side, in quote units; 0 where nothing fits. */
  readonly notional: number;
  /** Of the equity, by which that is: never above what the market would be given alone. At least 0. */
  readonly leverage: number;
  readonly isNetted: boolean;
}

export interface RoomQuestion {
  readonly symbol: string;
  readonly side: 'long' | 'short';
  readonly shortfall: ShortfallRates;
  /** False where the position would have a margin of its own. */
  readonly nets: boolean;
  /** All other net positions of the account; any of the same market that nets is left out. */
  readonly others: readonly Exposure[];
  /** What the ES of all may be, in quote units. */
  readonly allowedShortfall: number;
  /** In quote units. */
  readonly equity: number;
}

/**
 * The most of a market that a portfolio has room for: the largest y with V(y) ≤ L² under all of the three matrices, where
 * V(y) = y² + 2 b y + c, so y = −b + √(b² − c + L²); what is added in full is taken off L first. Where the other positions alone
 * are beyond L, what lowers the ES under all of them still fits, up to the least ES that it can reach (y = −b), and at leverage 1.
 *
 * As a leverage it is that notional over the equity, at most the one that the market would get alone, L / ES / equity: it never
 * falls when there is more equity.
 */
export function portfolioRoom(
  question: RoomQuestion,
  netting: Netting | null,
  stressShare: number,
): PortfolioRoom {
  const { symbol, side, shortfall, nets, others, allowedShortfall, equity } = question;
  const rest = nets ? others.filter((other) => !(other.nets && other.symbol === symbol)) : others;
  const row = nets && shortfall.isForecast ? (netting?.rows.get(symbol) ?? null) : null;
  const sums = sumsOf(rest, netting, stressShare, row);
  // Alone, a position has nothing to net with.
  const isAlone = !rest.some((other) => other.nets && other.notional !== 0);
  const isNetted = sums.isNetted && (!nets || row !== null || isAlone);
  const left = allowedShortfall - sums.added;
  const direction = side === 'long' ? 1 : -1;
  let most = Number.POSITIVE_INFINITY;
  let isBeyond = !(left > 0);
  for (const name of CORRELATION_CASES) {
    const { b, c } = sums.byCase[name];
    // Without a row it is added in full to the root of what the others are.
    const square = Math.max(left, 0) ** 2;
    const reached =
      row === null
        ? left - Math.sqrt(Math.max(c, 0))
        : -b * direction + Math.sqrt(Math.max(b * b - c + square, 0));
    if (row !== null && b * b - c + square < 0) isBeyond = true;
    most = Math.min(most, reached);
  }
  const own = shortfall[side];
  const room = Math.max(most, 0);
  // A market that cannot lose has no limit from this; the number stays finite.
  const notional = own > 0 ? Math.min(room / own, LARGEST_NOTIONAL) : LARGEST_NOTIONAL;
  if (isBeyond || !(equity > 0)) return { notional: own > 0 ? notional : 0, leverage: 1, isNetted };
  const leverage = Math.min(room, allowedShortfall) / equity / own;
  return { notional, leverage: Number.isFinite(leverage) ? leverage : LARGEST_NOTIONAL, isNetted };
}

/** No position of any market is worth more, in quote units. */
const LARGEST_NOTIONAL = 1e13;

/** @param row of the market that b is of; null for none. */
function sumsOf(
  exposures: readonly Exposure[],
  netting: Netting | null,
  stressShare: number,
  row: number | null,
): Sums {
  const rows: number[] = [];
  const signed: number[] = [];
  let added = 0;
  let isNetted = true;
  for (const exposure of exposures) {
    const y = signedShortfall(exposure);
    if (y === 0) continue;
    const own =
      exposure.nets && exposure.shortfall.isForecast ? netting?.rows.get(exposure.symbol) : undefined;
    if (own === undefined) {
      added += Math.abs(y);
      isNetted &&= !exposure.nets;
    } else {
      rows.push(own);
      signed.push(y);
    }
  }
  let [square, sum, squares, covariance] = [0, 0, 0, 0];
  const size = netting?.correlations.markets.length ?? 0;
  const matrix = netting?.correlations.matrix ?? new Float64Array(0);
  for (let i = 0; i < rows.length; i++) {
    sum += signed[i];
    squares += signed[i] * signed[i];
    square += signed[i] * signed[i];
    for (let j = 0; j < i; j++) square += 2 * matrix[rows[i] * size + rows[j]] * signed[i] * signed[j];
    if (row !== null) covariance += matrix[row * size + rows[i]] * signed[i];
  }
  const rest = 1 - stressShare;
  return {
    byCase: {
      measured: { b: covariance, c: square },
      asOne: { b: rest * covariance + stressShare * sum, c: rest * square + stressShare * sum * sum },
      apart: { b: rest * covariance, c: rest * square + stressShare * squares },
    },
    added,
    isNetted,
  };
}

/** A position's own ES, with the sign of the position. */
function signedShortfall({ notional, shortfall }: Exposure): number {
  return notional >= 0 ? notional * shortfall.long : notional * shortfall.short;
}
