import { PlimsollError } from '../../errors.ts';
import { requireWhole } from '../numeric/inputs.ts';
import type { TailRisk } from '../tail/value-at-risk.ts';
import { type AdjustedRisk, type Calibrator, requireForecast } from './adjustment.ts';

/** One chain: an adjuster's state, and the forecast whose loss it waits for. */
export interface DelayedChain<State> {
  readonly state: State;
  readonly pending: { readonly step: number; readonly forecast: TailRisk } | null;
}

export interface DelayedChainsState<State> {
  readonly chains: readonly DelayedChain<State>[];
  /** Forecasts that were replaced before their loss was known, or whose loss never will be. */
  readonly unscored: number;
}

export interface DelayedChains<State> {
  initial(): DelayedChainsState<State>;
  /** What `issue` would answer, without a trace. */
  preview(state: DelayedChainsState<State>, step: number, forecast: TailRisk): AdjustedRisk;
  /** Adjusts the forecast made at a step and remembers it until its loss is known. */
  issue(
    state: DelayedChainsState<State>,
    step: number,
    forecast: TailRisk,
  ): { readonly state: DelayedChainsState<State>; readonly adjusted: AdjustedRisk };
  /**
   * The loss of the forecast that was made at a step. A step whose forecast nobody waits for changes nothing: it was never
   * issued, replaced, or settled before, so that a repeated delivery is harmless.
   */
  settle(state: DelayedChainsState<State>, step: number, loss: number): DelayedChainsState<State>;
  /** The loss of that step will never be known (a gap in the data): the chain goes on without it. */
  abandon(state: DelayedChainsState<State>, step: number): DelayedChainsState<State>;
  /** The state of the chain that a step belongs to. */
  chainState(state: DelayedChainsState<State>, step: number): State;
}

/**
 * An adjuster for horizons of several steps. The loss of a forecast over 24 hours is known 24 hours late, and in between
 * 23 more are made: fed with those, an adjuster would answer one crash 24 times over. So there is one chain for each hour
 * of the day (step mod horizon), each with a state of its own. Its forecasts do not overlap, and each loss arrives before
 * the next forecast: the feedback is not late and each chain keeps the bound of its adjuster. What they keep singly they
 * keep together, since the mean over chains is as far from α as the chains are on average.
 *
 * Settle what is due before issuing anew: a forecast that still waits is then replaced and counted as unscored.
 *
 * @param horizon steps until a loss is known, and the number of chains; whole, at least 1.
 */
export function delayedChains<State>(calibrator: Calibrator<State>, horizon: number): DelayedChains<State> {
  requireWhole('the horizon', horizon, 1);

  const chainAt = (state: DelayedChainsState<State>, step: number): DelayedChain<State> => {
    requireWhole('the step', step, 0);
    if (state.chains.length !== horizon)
      throw new PlimsollError(
        'INPUT_INVALID',
        `the state has ${state.chains.length} chains and the horizon is ${horizon}`,
        { remedy: 'Begin with initial(), or use the horizon that the state was made with.' },
      );
    return state.chains[step % horizon];
  };

  const replaced = (
    state: DelayedChainsState<State>,
    step: number,
    chain: DelayedChain<State>,
    unscored: number,
  ): DelayedChainsState<State> => {
    const chains = state.chains.slice();
    chains[step % horizon] = chain;
    return { chains, unscored: state.unscored + unscored };
  };

  const preview = (
    state: DelayedChainsState<State>,
    step: number,
    { valueAtRisk, expectedShortfall }: TailRisk,
  ): AdjustedRisk => calibrator.adjusted(chainAt(state, step).state, valueAtRisk, expectedShortfall);

  return {
    initial: () => ({
      chains: Array.from({ length: horizon }, () => ({ state: calibrator.initial(), pending: null })),
      unscored: 0,
    }),
    preview,
    issue: (state, step, forecast) => {
      const chain = chainAt(state, step);
      const { valueAtRisk, expectedShortfall } = forecast;
      requireForecast(valueAtRisk, expectedShortfall);
      const adjusted = preview(state, step, forecast);
      const pending = { step, forecast: { valueAtRisk, expectedShortfall } };
      const isWaiting = chain.pending !== null && chain.pending.step !== step;
      return {
        state: replaced(state, step, { state: chain.state, pending }, isWaiting ? 1 : 0),
        adjusted,
      };
    },
    settle: (state, step, loss) => {
      const { state: before, pending } = chainAt(state, step);
      if (pending?.step !== step) return state;
      return replaced(
        state,
        step,
        { state: calibrator.observe(before, loss, pending.forecast), pending: null },
        0,
      );
    },
    abandon: (state, step) => {
      const { state: before, pending } = chainAt(state, step);
      return pending?.step === step ? replaced(state, step, { state: before, pending: null }, 1) : state;
    },
    chainState: (state, step) => chainAt(state, step).state,
  };
}
