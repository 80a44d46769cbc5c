import { PlimsollError } from '../../errors.ts';
import { Random } from '../../random.ts';
import { type FactorLink, factorOf, type Life, linkToFactor, livingReturns } from './factor-link.ts';
import {
  type NamedLife,
  nearestDonor,
  ownResiduals,
  standardise,
  volatilityState,
} from './factor-residuals.ts';

/** One stretch of slots in which a market's bars were made up by one rule. */
export interface FilledStretch {
  readonly fromSlot: number;
  readonly slots: number;
  /** See `FactorLink`. */
  readonly rule: FactorLink['rule'];
  /** As used: the estimate, but at least the least beta. */
  readonly beta: number;
  readonly estimatedBeta: number;
  /** Slots that the estimate rests on. */
  readonly overlap: number;
  /** Of the residual per slot when the factor is as volatile as it is on average; 0 for the rules without a residual. */
  readonly residualVolatility: number;
  /** The market whose residuals were drawn; null for the rules without a residual. */
  readonly residualsOf: string | null;
}

/** A stretch with its time: open time of its first slot, epoch milliseconds. */
export interface FillAccount extends FilledStretch {
  readonly from: number;
}

/** A market's life and the price at which its first bar opens. */
export interface OpenedLife extends NamedLife {
  readonly firstOpen: number;
}

/** Prices by the same index as the log returns. */
export interface FillGrid {
  readonly slots: number;
  readonly intervalMilliseconds: number;
  readonly close: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
}

const LEAST_OWN_BARS = 24;

/**
 * Makes up, in place, the bars before a market's first and after its last one, stretch by stretch over which the same
 * markets lived. The log return of a slot is β f + v s z (a one-factor model, Sharpe 1963, with residuals drawn again, Efron
 * 1979, in the state of volatility of the slot, as filtered historical simulation does, Barone-Adesi et al. 1999):
 *
 * f mean log return of the markets alive in the stretch; β from the market's own life against the mean of those very
 * markets, and at least `leastBeta`; v the factor's EWMA volatility before the slot over its average; s the market's own
 * residual volatility at v = 1; z a residual of the market that resembles it most in residual volatility among those that
 * lived longer than it, in units of its own, drawn at random: drawn from another slot, lest long the one and short the
 * other would look like a hedge. Without a link by regression there is no residual: the market then moves as one with f.
 *
 * The wicks beyond open and close are β times the mean ones of those alive at the slot.
 */
export function fillLives(
  grid: FillGrid,
  lives: readonly OpenedLife[],
  { seed, leastBeta }: { readonly seed: number; readonly leastBeta: number },
): readonly (readonly FilledStretch[])[] {
  const { slots } = grid;
  const isWhole = ({ firstSlot, lastSlot }: Life): boolean => firstSlot === 0 && lastSlot === slots - 1;
  if (lives.every(isWhole)) return lives.map(() => []);
  const returns = livingReturns(grid, lives);
  const { logReturn } = returns;
  const everyone = factorOf(returns, lives, Array.from(lives.keys()));
  const state = volatilityState(everyone, grid.intervalMilliseconds);
  const residuals = lives.map((life, m) => ownResiduals(returns, m, life, everyone, state));
  const accounts: FilledStretch[][] = lives.map(() => []);
  const downWick = new Float64Array(slots);
  const upWick = new Float64Array(slots);
  const betas = new Float64Array(logReturn.length);
  const draws = lives.map(({ market }) => Random.stream(seed, `fill ${market}`));
  for (const { from, until, alive, aliveFrom } of stretches(lives, slots)) {
    const factor = factorOf(returns, lives, alive);
    meanWicks(grid, alive, aliveFrom, until, downWick, upWick);
    for (let m = 0; m < lives.length; m++) {
      const begin = lives[m].firstSlot > from ? from : Math.max(from, lives[m].lastSlot + 1);
      const end = lives[m].firstSlot > from ? Math.min(until, lives[m].firstSlot) : until;
      if (begin >= end) continue;
      requireKnown(lives, m);
      const link = linkToFactor(returns, m, lives[m], factor);
      const beta = Math.max(link.beta, leastBeta);
      const own = standardise(link, state);
      const donor = own.volatility > 0 ? nearestDonor(lives, residuals, m, own) : null;
      for (let t = begin; t < end; t++) {
        logReturn[m * slots + t] = beta * factor.move[t];
        if (donor === null) continue;
        const { values, volatility } = donor.residuals;
        const z = values[draws[m].integer(values.length)] / volatility;
        logReturn[m * slots + t] += state[t] * own.volatility * z;
      }
      betas.fill(beta, m * slots + begin, m * slots + end);
      accounts[m].push({
        fromSlot: begin,
        slots: end - begin,
        rule: link.rule,
        beta,
        estimatedBeta: link.beta,
        overlap: link.overlap,
        residualVolatility: own.volatility,
        residualsOf: donor === null ? null : donor.market,
      });
    }
  }
  for (let m = 0; m < lives.length; m++) chainPrices(grid, m, lives[m], logReturn, betas, downWick, upWick);
  return accounts;
}

interface Stretch {
  readonly from: number;
  readonly until: number;
  /** The markets with returns in it. */
  readonly alive: readonly number[];
  /** Where their returns begin: a slot at which all have their first bar belongs to the stretch after it. */
  readonly aliveFrom: number;
}

/** The grid cut where a market's returns begin or end. */
function* stretches(lives: readonly Life[], slots: number): Generator<Stretch> {
  const cuts = new Set([0, slots]);
  for (const { firstSlot, lastSlot } of lives)
    for (const cut of [firstSlot + 1, lastSlot + 1]) cuts.add(Math.min(cut, slots));
  const ordered = [...cuts].sort((a, b) => a - b);
  let from = 0;
  for (let i = 0; i + 1 < ordered.length; i++) {
    const aliveFrom = ordered[i];
    const until = ordered[i + 1];
    const alive = lives.flatMap(({ firstSlot, lastSlot }, m) =>
      firstSlot < aliveFrom && lastSlot >= aliveFrom ? [m] : [],
    );
    if (alive.length === 0 && until < slots) continue;
    yield { from, until, alive, aliveFrom };
    from = until;
  }
}

function requireKnown(lives: readonly NamedLife[], m: number): void {
  const { market, firstSlot, lastSlot } = lives[m];
  const remedy = 'Leave it out, import more of its history, or ask for a time in which it lived.';
  if (lastSlot - firstSlot + 1 < LEAST_OWN_BARS)
    throw new PlimsollError('DATA_INSUFFICIENT', `${market} is too young to fill what it lacks`, { remedy });
  const isMet = lives.some(
    (life, j) => j !== m && Math.max(life.firstSlot, firstSlot) < Math.min(life.lastSlot, lastSlot),
  );
  if (!isMet)
    throw new PlimsollError('DATA_INSUFFICIENT', `${market} never traded while another one did`, { remedy });
}

/** Mean of ln(body's end / extreme) over those alive, at each slot of the stretch. */
function meanWicks(
  { slots, close, high, low }: FillGrid,
  alive: readonly number[],
  from: number,
  until: number,
  downWick: Float64Array,
  upWick: Float64Array,
): void {
  for (const m of alive) {
    for (let t = from; t < until; t++) {
      const at = m * slots + t;
      const bottom = Math.min(close[at - 1], close[at]);
      const top = Math.max(close[at - 1], close[at]);
      downWick[t] += Math.max(Math.log(bottom / low[at]), 0) / alive.length;
      upWick[t] += Math.max(Math.log(high[at] / top), 0) / alive.length;
    }
  }
}

/** Backwards from the first open and forwards from the last close. */
function chainPrices(
  { slots, close, high, low }: FillGrid,
  m: number,
  { market, firstSlot, lastSlot, firstOpen }: OpenedLife,
  logReturn: Float64Array,
  betas: Float64Array,
  downWick: Float64Array,
  upWick: Float64Array,
): void {
  const base = m * slots;
  for (let t = firstSlot - 1; t >= 0; t--)
    close[base + t] =
      t + 1 === firstSlot ? firstOpen : close[base + t + 1] / Math.exp(logReturn[base + t + 1]);
  for (let t = lastSlot + 1; t < slots; t++)
    close[base + t] = close[base + t - 1] * Math.exp(logReturn[base + t]);
  for (let t = 0; t < slots; t++) {
    if (t >= firstSlot && t <= lastSlot) continue;
    const before = t === 0 ? close[base] : close[base + t - 1];
    low[base + t] = Math.min(before, close[base + t]) * Math.exp(-betas[base + t] * downWick[t]);
    high[base + t] = Math.max(before, close[base + t]) * Math.exp(betas[base + t] * upWick[t]);
    if (!(low[base + t] > 0 && high[base + t] < Number.POSITIVE_INFINITY))
      throw new PlimsollError('DATA_INSUFFICIENT', `${market} moves too wildly to fill what it lacks`, {
        remedy: 'Leave it out, or import more of its history.',
      });
  }
}
