import { HOUR_MILLISECONDS } from '../../units.ts';
import type { AntiProcyclicalPolicy } from '../bound-policy.ts';
import { type TailProfile, tailProfile } from '../curve.ts';
import type { SourceForecast, UsableInput } from '../market-input.ts';
import type { Bound, BufferState } from '../types.ts';
import {
  type BoundContext,
  capBound,
  type Evidence,
  type InitialMarginBound,
  marginBound,
  raisedBy,
  type Stated,
  unavailableBound,
} from './bound.ts';

/**
 * One of the three anti-procyclical measures of EMIR RTS 153/2013, Article 28 (1), by policy:
 * (a) `buffer`: more initial margin than is calculated, given up while the calculated margin rises sharply;
 * (b) `stressedWeight`: margins of a sample in which stressed observations have a weight of their own;
 * (c) `longLookbackFloor`: never below the margins at the volatility of a long lookback.
 */
export const OPTION_ARTICLE = {
  buffer: '28(1)(a)',
  stressedWeight: '28(1)(b)',
  longLookbackFloor: '28(1)(c)',
} as const;

/** The floor of options (b) and (c): a profile that no margin goes below; null for the others and where it is unknown. */
export function antiProcyclicalFloor(
  { antiProcyclical }: UsableInput,
  { policy, axes }: BoundContext,
): TailProfile | null {
  const { option, floorRatio } = policy.bounds.antiProcyclical;
  if (option !== 'stressedWeight' && option !== 'longLookbackFloor') return null;
  if (antiProcyclical.unavailable !== '') return null;
  const ratio = option === 'longLookbackFloor' ? floorRatio : 1;
  const { valueAtRisk, expectedShortfall } = antiProcyclical;
  return tailProfile(valueAtRisk, expectedShortfall, axes, policy, ratio);
}

export interface AntiProcyclicalBound extends InitialMarginBound {
  readonly state: BufferState | null;
  /** The policy asks for a floor, and the numbers behind it are missing. */
  readonly isMissing: boolean;
}

/**
 * @param initial the calculated initial margin rate at the reference notional, without any buffer.
 * @param floor of `antiProcyclicalFloor`; in the calculated margin already.
 * @param previous the buffer after the previous decision.
 */
export function antiProcyclicalBound(
  source: SourceForecast,
  floor: TailProfile | null,
  initial: number,
  stated: Stated,
  { policy, decidedAt }: BoundContext,
  previous: BufferState | null,
): AntiProcyclicalBound {
  const rules = policy.bounds.antiProcyclical;
  const { option } = rules;
  if (option === 'none') {
    const bound = unavailableBound('antiProcyclical', 'the policy chooses no anti-procyclical measure');
    return { bound, raise: null, state: null, isMissing: false };
  }
  const article = OPTION_ARTICLE[option];
  if (option === 'buffer') {
    const state = nextBuffer(previous, initial, decidedAt, rules);
    const raise = raisedBy(1 + state.ratio);
    const evidence = {
      article,
      bufferRatio: state.ratio,
      calculatedMarginRate: initial,
      fullRatio: rules.bufferRatio,
      option,
      referenceMarginRate: state.referenceMarginRate,
    };
    const isEmpty = state.ratio === 0;
    return {
      bound: capBound('antiProcyclical', isEmpty ? null : 1 / raise(initial), evidence),
      raise: isEmpty ? null : raise,
      state,
      isMissing: false,
    };
  }
  return {
    bound: floorBound(source, floor, stated, { article, option }),
    raise: null,
    state: null,
    isMissing: floor === null,
  };
}

function floorBound(
  source: SourceForecast,
  floor: TailProfile | null,
  stated: Stated,
  evidence: Evidence,
): Bound {
  if (floor === null) return unavailableBound('antiProcyclical', source.unavailable, source.predictor);
  return marginBound('antiProcyclical', floor, stated, evidence, source.predictor);
}

/**
 * The buffer b after a decision. With m the calculated margin and r its average over the reference hours, the margin
 * with the buffer is kept from rising beyond (1 + full) · sharp · r as long as the buffer lasts:
 * b = (1 + full) · sharp · r / m − 1, in [0, full]. It falls at once, and only because m rises; it rises at most by
 * full · hours / refill hours.
 *
 * @returns a ratio of at least 0 and at most `bufferRatio`.
 */
export function nextBuffer(
  previous: BufferState | null,
  marginRate: number,
  decidedAt: number,
  rules: AntiProcyclicalPolicy,
): BufferState {
  const full = rules.bufferRatio;
  if (previous === null) {
    return { marginRate, ratio: full, referenceMarginRate: marginRate, updatedAt: decidedAt };
  }
  // A clock that jumped back refills nothing.
  const hours = Math.max(decidedAt - previous.updatedAt, 0) / HOUR_MILLISECONDS;
  // The average does not know the new margin yet: a sharp rise is measured against what was before it.
  const weight = -Math.expm1(-hours / rules.referenceHours);
  const reference =
    previous.referenceMarginRate + weight * (previous.marginRate - previous.referenceMarginRate);
  const room = ((1 + full) * rules.sharpRiseRatio * reference) / marginRate - 1;
  const wanted = Math.min(Math.max(room, 0), full);
  const refilled = previous.ratio + (full * hours) / rules.refillHours;
  const isRising = marginRate > previous.marginRate;
  const most = isRising ? previous.ratio : refilled;
  // A margin that does not rise draws nothing, whatever its average does.
  const least = isRising ? 0 : Math.min(previous.ratio, full);
  return {
    marginRate,
    ratio: Math.max(Math.min(wanted, most), least),
    referenceMarginRate: reference,
    updatedAt: Math.max(decidedAt, previous.updatedAt),
  };
}
