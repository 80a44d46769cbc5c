/** Log returns of several markets on one grid of slots; that of market m at slot t is at m · slots + t. */
export interface ReturnGrid {
  readonly slots: number;
  readonly logReturn: Float64Array;
}

/** The slots of a market's first and last own bar. It has returns after the first, up to the last. */
export interface Life {
  readonly firstSlot: number;
  readonly lastSlot: number;
}

/** The mean move of some markets. */
export interface Factor {
  /** By slot: mean log return of those that lived at it; 0 where none did. */
  readonly move: Float64Array;
  /** By slot: how many these were. */
  readonly count: Uint16Array;
}

/**
 * How a market moves with a factor, from the slots where both have a return.
 *
 * regression: ordinary least squares with a constant, over at least 168 slots. scaled: with fewer, or where the factor stood
 * still, the ratio of the two volatilities: as if both moved as one, the most that a beta can be. none: nothing moved.
 */
export interface FactorLink {
  readonly rule: 'regression' | 'scaled' | 'none';
  readonly beta: number;
  /** Slots where both have a return. */
  readonly overlap: number;
  /** What the factor does not explain, by slot where both have a return; empty unless by regression. */
  readonly residuals: Float64Array;
  /** The slots of the residuals. */
  readonly residualSlots: Int32Array;
}

/** Fewer common slots say nothing about a beta: a week of hours. */
const LEAST_OVERLAP = 168;

/** Log returns of each market from the slot after its first bar to its last one; 0 elsewhere. */
export function livingReturns(
  { slots, close }: { readonly slots: number; readonly close: Float64Array },
  lives: readonly Life[],
): ReturnGrid {
  const logReturn = new Float64Array(lives.length * slots);
  lives.forEach(({ firstSlot, lastSlot }, m) => {
    for (let at = m * slots + firstSlot + 1; at <= m * slots + lastSlot; at++)
      logReturn[at] = Math.log(close[at] / close[at - 1]);
  });
  return { slots, logReturn };
}

/** The mean log return of the members, slot by slot. @param members indices into the lives. */
export function factorOf(
  { slots, logReturn }: ReturnGrid,
  lives: readonly Life[],
  members: readonly number[],
): Factor {
  const move = new Float64Array(slots);
  const count = new Uint16Array(slots);
  for (const m of members) {
    for (let t = lives[m].firstSlot + 1; t <= lives[m].lastSlot; t++) {
      move[t] += logReturn[m * slots + t];
      count[t]++;
    }
  }
  for (let t = 0; t < slots; t++) if (count[t] > 0) move[t] /= count[t];
  return { move, count };
}

/** The mean move of all but one market. @param everyone the factor of all, this one too. */
export function othersThan(
  { slots, logReturn }: ReturnGrid,
  market: number,
  life: Life,
  everyone: Factor,
): Factor {
  const move = everyone.move.slice();
  const count = everyone.count.slice();
  for (let t = life.firstSlot + 1; t <= life.lastSlot; t++) {
    const sum = move[t] * count[t] - logReturn[market * slots + t];
    count[t]--;
    move[t] = count[t] > 0 ? sum / count[t] : 0;
  }
  return { move, count };
}

/** Links a market to a factor that it is not part of. */
export function linkToFactor(grid: ReturnGrid, market: number, life: Life, factor: Factor): FactorLink {
  const { slots, logReturn } = grid;
  let overlap = 0;
  let meanReturn = 0;
  let meanMove = 0;
  const isCommon = (t: number): boolean => factor.count[t] > 0;
  for (let t = life.firstSlot + 1; t <= life.lastSlot; t++) {
    if (!isCommon(t)) continue;
    overlap++;
    meanReturn += logReturn[market * slots + t];
    meanMove += factor.move[t];
  }
  meanReturn /= Math.max(overlap, 1);
  meanMove /= Math.max(overlap, 1);
  let product = 0;
  let square = 0;
  for (let t = life.firstSlot + 1; t <= life.lastSlot; t++) {
    if (!isCommon(t)) continue;
    const deviation = factor.move[t] - meanMove;
    product += deviation * (logReturn[market * slots + t] - meanReturn);
    square += deviation * deviation;
  }
  if (overlap < LEAST_OVERLAP || !(square > 0)) return scaledLink(grid, market, life, factor, overlap);
  const beta = product / square;
  const residuals = new Float64Array(overlap);
  const residualSlots = new Int32Array(overlap);
  for (let t = life.firstSlot + 1, i = 0; t <= life.lastSlot; t++) {
    if (!isCommon(t)) continue;
    residuals[i] = logReturn[market * slots + t] - meanReturn - beta * (factor.move[t] - meanMove);
    residualSlots[i++] = t;
  }
  return { rule: 'regression', beta, overlap, residuals, residualSlots };
}

/** The ratio of volatilities, each about zero over its own life: too little is common to compare them there. */
function scaledLink(
  { slots, logReturn }: ReturnGrid,
  market: number,
  life: Life,
  factor: Factor,
  overlap: number,
): FactorLink {
  let own = 0;
  for (let t = life.firstSlot + 1; t <= life.lastSlot; t++) own += logReturn[market * slots + t] ** 2;
  own /= Math.max(life.lastSlot - life.firstSlot, 1);
  let moves = 0;
  let lived = 0;
  for (let t = 0; t < slots; t++) {
    moves += factor.move[t] ** 2;
    if (factor.count[t] > 0) lived++;
  }
  const beta = moves > 0 ? Math.sqrt((own * lived) / moves) : 0;
  const empty = { residuals: new Float64Array(0), residualSlots: new Int32Array(0) };
  return { rule: moves > 0 ? 'scaled' : 'none', beta, overlap, ...empty };
}
