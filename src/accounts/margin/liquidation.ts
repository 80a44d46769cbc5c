import type { MeasuredLeg, MeasuredUnit } from './measure.ts';
import { type MarginTable, rowIndexAt } from './table.ts';

/** Where one market's price brings its unit to, the marks of all other markets as they are. In quote units. */
export interface CriticalPrices {
  /** The one to show; see `criticalPrices`. */
  readonly liquidationPrice: number | null;
  /** Where nothing of the equity is left. */
  readonly bankruptcyPrice: number | null;
  /** The first price at which the unit is liquidated on the way down, and on the way up. Null where it never is. */
  readonly below: number | null;
  readonly above: number | null;
  /** It would be liquidated at the mark. */
  readonly isBelowMaintenance: boolean;
}

/**
 * Liquidation and bankruptcy price of a unit in one of its markets. Both legs of a market in hedge mode move together
 * and have the same ones; an isolated position is a unit of its own.
 *
 * Let f(p) = equity(p) − maintenance(p) / `liquidationRatio`. For linear contracts f is linear between the prices at
 * which a leg's notional meets a cap, and for rising rates concave; the pieces are walked from the mark outwards and the
 * root is solved in the one that holds it, so the bracket is the one of that price (Binance's formula for USD-M
 * contracts, which has to be repeated until the bracket fits, gives the same). For inverse contracts notionals do not
 * move, and f is linear in 1 / p.
 *
 * - A root is looked for on both sides of the mark. `liquidationPrice` is the nearest one on the side to which f falls at
 *   the mark (down for a long position, up for a short one, either for a hedge), and the other one where that side has
 *   none.
 * - Where the unit is below its maintenance margin already, `liquidationPrice` is the price that it has crossed: the
 *   nearest one at which it would have enough again. `below` and `above` are the mark then.
 * - Null where there is none: prices of 0 and less do not exist, and no price helps a unit without enough collateral.
 *
 * @param extraCollateral counts as if it were in the unit, in its settlement asset.
 */
export function criticalPrices(
  measured: MeasuredUnit,
  symbol: string,
  liquidationRatio = 1,
  extraCollateral = 0,
): CriticalPrices {
  const own = measured.legs.filter(({ market }) => market.symbol === symbol);
  const others = measured.legs.filter(({ market }) => market.symbol !== symbol);
  const rest = others.reduce((sum, { profit }) => sum + profit, measured.unit.collateral + extraCollateral);
  const asked = others.reduce((sum, { maintenance }) => sum + maintenance, 0) / liquidationRatio;
  const isLinear = own[0].market.contract.kind === 'linear';
  const solve = isLinear ? linearPrices : inversePrices;
  return solve(own, rest, asked, liquidationRatio);
}

/** Signed size of a leg: base units for linear contracts, quote units for inverse ones. */
function sizeOf({ position, market }: MeasuredLeg): number {
  return position.quantity * market.contract.contractSize;
}

/** f on one stretch of prices: constant + slope · p. */
interface Piece {
  readonly from: number;
  /** Infinite in the last one. */
  readonly to: number;
  readonly constant: number;
  readonly slope: number;
}

/** f on every stretch of prices; a piece is made when it is walked to. */
interface Pieces {
  readonly count: number;
  /** The piece that the mark is in, the lower one at an edge. */
  readonly here: number;
  at(piece: number): Piece;
}

function linearPrices(
  legs: readonly MeasuredLeg[],
  rest: number,
  asked: number,
  liquidationRatio: number,
): CriticalPrices {
  const { mark, market } = legs[0];
  const net = legs.reduce((sum, leg) => sum + sizeOf(leg), 0);
  const gross = legs.reduce((sum, leg) => sum + Math.abs(sizeOf(leg)), 0);
  const entryCost = legs.reduce((sum, leg) => sum + sizeOf(leg) * leg.position.entryPrice, 0);
  const pieces = piecesOf(legs, market.maintenance, liquidationRatio, rest - entryCost - asked, net);
  const bankruptcy = isFlat(net, gross) ? null : positive((entryCost - rest) / net);
  const here = pieces.at(pieces.here);
  return chosen(mark, bankruptcy, valueAt(here, mark), here.slope, (direction, sign) =>
    firstCrossing(pieces, mark, direction, sign),
  );
}

/**
 * f of some legs of one market, on every stretch of prices on which each stays in a row of the table.
 *
 * @param constant, slope of the equity; −maintenance / `liquidationRatio` comes to it.
 */
function piecesOf(
  legs: readonly MeasuredLeg[],
  table: MarginTable,
  liquidationRatio: number,
  constant: number,
  slope: number,
): Pieces {
  const sizes = legs.map((leg) => Math.abs(sizeOf(leg)));
  const edges = edgesOf(sizes, table);
  const { mark } = legs[0];
  let here = 0;
  while (here < edges.length && !(mark <= edges[here])) here++;
  const at = (piece: number): Piece => {
    const to = piece < edges.length ? edges[piece] : Number.POSITIVE_INFINITY;
    const from = piece === 0 ? 0 : edges[piece - 1];
    const within = to === Number.POSITIVE_INFINITY ? from * 2 + 1 : (from + to) / 2;
    let [amount, perPrice] = [0, 0];
    for (const size of sizes) {
      const row = table[rowIndexAt(table, size * within)];
      amount += row.maintenanceAmount;
      perPrice += row.maintenanceRate * size;
    }
    return {
      from,
      to,
      constant: constant + amount / liquidationRatio,
      slope: slope + -perPrice / liquidationRatio,
    };
  };
  return { count: edges.length + 1, here, at };
}

/** Prices at which a leg comes to a cap, rising, each once. */
function edgesOf(sizes: readonly number[], table: MarginTable): readonly number[] {
  const edges: number[] = [];
  for (const size of sizes)
    for (let row = 0; row < table.length - 1; row++) edges.push(table[row].notionalCap / size);
  // Those of one leg rise as the caps do.
  if (sizes.length > 1) edges.sort((a, b) => a - b);
  return edges.every((edge, i) => i === 0 || edge !== edges[i - 1]) ? edges : [...new Set(edges)];
}

function valueAt({ constant, slope }: Piece, price: number): number {
  return constant + slope * price;
}

/** The first price from the mark on at which sign · f, which is above 0 at the mark, is no more. */
function firstCrossing(pieces: Pieces, mark: number, direction: 'down' | 'up', sign: 1 | -1): number | null {
  const isUp = direction === 'up';
  const step = isUp ? 1 : -1;
  for (let ahead = pieces.here; ahead >= 0 && ahead < pieces.count; ahead += step) {
    const piece = pieces.at(ahead);
    // At an edge the way up begins in the next one.
    if (isUp && piece.to <= mark) continue;
    const near = isUp ? Math.max(piece.from, mark) : Math.min(piece.to, mark);
    const far = isUp ? piece.to : piece.from;
    // A table that was rounded jumps at a cap: the cap is where it happens.
    if (sign * valueAt(piece, near) <= 0) return positive(near);
    const isCrossed =
      far === Number.POSITIVE_INFINITY ? sign * piece.slope < 0 : sign * valueAt(piece, far) <= 0;
    if (!isCrossed) continue;
    const root = -piece.constant / piece.slope;
    return positive(Math.min(Math.max(root, Math.min(near, far)), Math.max(near, far)));
  }
  return null;
}

function inversePrices(
  legs: readonly MeasuredLeg[],
  rest: number,
  asked: number,
  liquidationRatio: number,
): CriticalPrices {
  const { mark } = legs[0];
  const net = legs.reduce((sum, leg) => sum + sizeOf(leg), 0);
  const gross = legs.reduce((sum, leg) => sum + Math.abs(sizeOf(leg)), 0);
  const entryWorth = legs.reduce((sum, leg) => sum + sizeOf(leg) / leg.position.entryPrice, 0);
  const margin = legs.reduce((sum, leg) => sum + leg.maintenance / leg.perQuote, 0) / liquidationRatio;
  // Both are linear in 1 / p: equity is rest + entryWorth − net / p, and maintenance margin asked + margin / p.
  const fixed = rest + entryWorth - asked;
  const moving = net + margin;
  const bankruptcy = isFlat(net, gross) ? null : positive(net / (rest + entryWorth));
  const root = isFlat(moving, gross) ? null : positive(moving / fixed);
  return chosen(mark, bankruptcy, fixed - moving / mark, moving, (direction) => {
    if (root === null) return null;
    return (direction === 'up') === root > mark ? root : null;
  });
}

/** @param value, slope of f at the mark. @param crossing where sign · f comes down to 0 in a direction. */
function chosen(
  mark: number,
  bankruptcyPrice: number | null,
  value: number,
  slope: number,
  crossing: (direction: 'down' | 'up', sign: 1 | -1) => number | null,
): CriticalPrices {
  if (value > 0) {
    const [below, above] = [crossing('down', 1), crossing('up', 1)];
    const liquidationPrice = slope < 0 ? (above ?? below) : (below ?? above);
    return { liquidationPrice, bankruptcyPrice, below, above, isBelowMaintenance: false };
  }
  // Prices with enough lie on one side of it, because f is concave.
  const liquidationPrice = value === 0 ? mark : (crossing('down', -1) ?? crossing('up', -1));
  return { liquidationPrice, bankruptcyPrice, below: mark, above: mark, isBelowMaintenance: true };
}

/** What is left of two sides that cancel out is rounding. */
function isFlat(net: number, gross: number): boolean {
  return Math.abs(net) <= gross * 1e-12;
}

function positive(price: number): number | null {
  return price > 0 && price < Number.POSITIVE_INFINITY ? price : null;
}
