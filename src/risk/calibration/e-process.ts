import { refusal, requireConfidence, requireWhole, requireWithin } from '../numeric/inputs.ts';
import type { TailRisk } from '../tail/value-at-risk.ts';
import { requireForecast, requireLoss } from './adjustment.ts';

/**
 * What is bet on. With α = 1 − confidence, each has a mean of at most 1 as long as the forecast is right:
 * - `value-at-risk`: hit / α. Grows where VaR is exceeded too often.
 * - `expected-shortfall`: (loss − VaR)⁺ / (α (ES − VaR)). Grows where the losses beyond VaR are too many or too large.
 * - `overstated`: (1 − hit) / (1 − α). Grows, slowly, where VaR is exceeded too seldom.
 */
export type EStatistic = 'value-at-risk' | 'expected-shortfall' | 'overstated';

/**
 * How much of the evidence is staked in a step, λ in [0, 1): decided from the past alone.
 * - `mixture`: the mean over a grid of fixed λ; needs no memory.
 * - `gree`: the λ that would have made the past e-values grow most (Kelly on the past), at most `largest`.
 * - `grel`: the λ that would have made the past losses grow most under today's forecast; for losses of one scale.
 */
export type Bet =
  | { readonly kind: 'mixture'; readonly shares?: readonly number[] }
  | { readonly kind: 'gree'; readonly largest?: number }
  | { readonly kind: 'grel'; readonly largest?: number; readonly window?: number };

/**
 * - `product`: Mₜ = Π (1 − λ + λ e). Never restarts; while forecasts are right the probability that it *ever* reaches 1 / δ
 *   is at most δ (Ville 1939), however often it is looked at.
 * - `sum`: Rₜ = (Rₜ₋₁ + 1)(1 − λ + λ e), one product begun in each step (Shiryaev and Roberts).
 * - `maximum`: Cₜ = max(Cₜ₋₁, 1)(1 − λ + λ e), the best of those (Page's cumulative sum).
 * The last two forget a good past, so that they find a change however late it comes; while forecasts are right they take
 * 1 / δ steps or more to an alarm on average. After an alarm they start anew.
 */
export type EForm = 'product' | 'sum' | 'maximum';

export interface EProcessOptions {
  readonly statistic: EStatistic;
  readonly confidence: number;
  /** δ in (0, 1): probability of ever a false alarm (`product`), or false alarms per step (`sum`, `maximum`). */
  readonly falseAlarms: number;
  readonly form?: EForm;
  readonly bet?: Bet;
}

export interface EProcessState {
  readonly steps: number;
  /** ln of what the next e-value multiplies, one for each share of a mixture. */
  readonly carried: readonly number[];
  /** ln Mₜ, ln Rₜ or ln Cₜ after the last step; 0 before the first. */
  readonly logEvidence: number;
  /** Whether the last step raised an alarm; a product stays alarmed. */
  readonly isAlarmed: boolean;
  readonly alarms: number;
  /** Step of the latest alarm, counted from 1; 0 before the first. */
  readonly lastAlarm: number;
  /** Steps, Σ (e − 1) and Σ (e − 1)² since the last start: the past that `gree` bets on. */
  readonly pastSteps: number;
  readonly pastSum: number;
  readonly pastSquares: number;
  /** The trailing losses that `grel` bets on. */
  readonly pastLosses: readonly number[];
}

export interface EProcess {
  initial(): EProcessState;
  /** @throws PlimsollError INPUT_INVALID for a loss or forecast that is not finite, or an ES below VaR. */
  observe(state: EProcessState, loss: number, forecast: TailRisk): EProcessState;
}

/** A loss beyond a VaR that equals its ES is an infinite e-value; a smaller one is as valid. */
const LARGEST_E_VALUE = 1e9;

/** The grid for rare hits, times α: the best stakes against a rate of 1.25 to 10 α. */
const UNDERSTATED_SHARES = [0.25, 0.5, 1, 2, 4, 9];
/** The best stakes against a rate of 0.8, 0.6, 0.4, 0.2 and 0.05 α. */
const OVERSTATED_SHARES = [0.2, 0.4, 0.6, 0.8, 0.95];

/** The e-value of one step (Wang, Wang and Ziegel 2022). Finite, at least 0. */
export function eValue(
  statistic: EStatistic,
  loss: number,
  { valueAtRisk, expectedShortfall }: TailRisk,
  confidence: number,
): number {
  const target = 1 - confidence;
  if (statistic === 'overstated') return loss > valueAtRisk ? 0 : 1 / confidence;
  if (loss <= valueAtRisk) return 0;
  if (statistic === 'value-at-risk') return 1 / target;
  // Halves: a difference of two finite numbers may overflow, that of their halves does not.
  const beyond = loss / 2 - valueAtRisk / 2;
  const expected = target * (expectedShortfall / 2 - valueAtRisk / 2);
  return expected > 0 ? Math.min(beyond / expected, LARGEST_E_VALUE) : LARGEST_E_VALUE;
}

/**
 * Anytime-valid alarms on forecasts of VaR and ES: e-backtesting (Wang, Wang and Ziegel 2022), and e-detectors for changes
 * (Shin, Ramdas and Rinaldo 2023). Nothing is assumed of the losses but that, when the forecasts are right, each exceeds its
 * VaR with probability of at most α given all that was known when the forecast was made (`overstated`: at least α).
 *
 * That asks for feedback that is not late. For horizons that overlap run one process for each chain of
 * `delayed-chains.ts`; the mean over the chains' evidence is good at any time fixed beforehand, but not whenever one
 * pleases (Arnold, Henzi and Ziegel 2023).
 *
 * Stakes: `gree` and `grel` take the exact Kelly stake where e is 0 or one other value u, (ē − 1) / (u − 1), with 1 / α
 * steps of ē = 1 put before the past; for `expected-shortfall` the paper's Taylor form Σ (e − 1) / Σ (e − 1)². All is
 * computed in logarithms.
 *
 * @throws PlimsollError INPUT_INVALID for options out of range.
 */
export function eProcess(options: EProcessOptions): EProcess {
  const { statistic, confidence, falseAlarms, form = 'product', bet = { kind: 'mixture' } } = options;
  requireConfidence(confidence);
  requireWithin('the rate of false alarms', falseAlarms, Number.MIN_VALUE, 1 - Number.EPSILON);
  const target = 1 - confidence;
  const shares = fixedShares(bet, statistic, target);
  const largest = bet.kind === 'mixture' ? 0 : (bet.largest ?? 0.5);
  requireWithin('the largest stake', largest, 0, 0.999);
  const window = bet.kind === 'grel' ? (bet.window ?? 500) : 0;
  if (bet.kind === 'grel') requireWhole('the window of losses', window, 1);
  const threshold = -Math.log(falseAlarms);
  const greatest = statistic === 'overstated' ? 1 / confidence : 1 / target;

  const kelly = (steps: number, sum: number, squares: number): number => {
    const stake =
      statistic === 'expected-shortfall'
        ? sum / Math.max(squares, Number.MIN_VALUE)
        : sum / (steps + 1 / target) / (greatest - 1);
    return Math.min(Math.max(stake, 0), largest);
  };

  const stakeOf = (state: EProcessState, forecast: TailRisk): number => {
    if (bet.kind === 'gree') return kelly(state.pastSteps, state.pastSum, state.pastSquares);
    let sum = 0;
    let squares = 0;
    for (const past of state.pastLosses) {
      const excess = eValue(statistic, past, forecast, confidence) - 1;
      sum += excess;
      squares += excess * excess;
    }
    return kelly(state.pastLosses.length, sum, squares);
  };

  const initial = (): EProcessState => ({
    steps: 0,
    carried: new Array<number>(shares === null ? 1 : shares.length).fill(0),
    logEvidence: 0,
    isAlarmed: false,
    alarms: 0,
    lastAlarm: 0,
    pastSteps: 0,
    pastSum: 0,
    pastSquares: 0,
    pastLosses: [],
  });

  return {
    initial,
    observe: (state, loss, forecast) => {
      requireForecast(forecast.valueAtRisk, forecast.expectedShortfall);
      requireLoss(loss);
      const e = eValue(statistic, loss, forecast, confidence);
      const steps = state.steps + 1;
      const stakes = shares ?? [stakeOf(state, forecast)];
      const grown = new Array<number>(stakes.length);
      for (let j = 0; j < stakes.length; j++)
        grown[j] = state.carried[j] + Math.log(1 - stakes[j] + stakes[j] * e);
      const logEvidence = logMean(grown);
      const isReached = logEvidence >= threshold;
      const isNew = isReached && !(form === 'product' && state.isAlarmed);
      const alarms = state.alarms + (isNew ? 1 : 0);
      const lastAlarm = isNew ? steps : state.lastAlarm;
      if (isReached && form !== 'product')
        return { ...initial(), steps, logEvidence, isAlarmed: true, alarms, lastAlarm };
      if (form === 'sum') for (let j = 0; j < grown.length; j++) grown[j] = logOnePlus(grown[j]);
      if (form === 'maximum') for (let j = 0; j < grown.length; j++) grown[j] = Math.max(grown[j], 0);
      return {
        steps,
        carried: grown,
        logEvidence,
        isAlarmed: isReached || (form === 'product' && state.isAlarmed),
        alarms,
        lastAlarm,
        pastSteps: state.pastSteps + 1,
        pastSum: state.pastSum + (e - 1),
        pastSquares: state.pastSquares + (e - 1) * (e - 1),
        pastLosses: window === 0 ? state.pastLosses : withLast(state.pastLosses, loss + 0, window),
      };
    },
  };
}

function fixedShares(bet: Bet, statistic: EStatistic, target: number): readonly number[] | null {
  if (bet.kind !== 'mixture') return null;
  const shares =
    bet.shares ??
    (statistic === 'overstated'
      ? OVERSTATED_SHARES
      : UNDERSTATED_SHARES.map((share) => Math.min(share * target, 0.5)));
  if (shares.length === 0 || !shares.every((share) => share >= 0 && share < 1))
    throw refusal('the stakes of the mixture are not all in [0, 1)', 'Give at least one, each below 1.');
  return shares;
}

function withLast(values: readonly number[], value: number, capacity: number): readonly number[] {
  const kept = values.slice(Math.max(values.length - capacity + 1, 0));
  kept.push(value);
  return kept;
}

/** ln of the mean of exp. */
function logMean(logs: readonly number[]): number {
  if (logs.length === 1) return logs[0];
  let largest = logs[0];
  for (let j = 1; j < logs.length; j++) if (logs[j] > largest) largest = logs[j];
  let sum = 0;
  for (let j = 0; j < logs.length; j++) sum += Math.exp(logs[j] - largest);
  return largest + Math.log(sum / logs.length);
}

/** ln(1 + exp(x)) without overflow. */
function logOnePlus(x: number): number {
  return x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x));
}
