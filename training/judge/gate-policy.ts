import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CONFIDENCES, HORIZONS_HOURS } from '../../src/forecast/predictor.ts';
import { MONOTONE_TOLERANCE } from './monotone.ts';

const share = z.number().min(-1).max(1);
const positive = z.number().positive();

export const gatePolicySchema = z.strictObject({
  /** Raised by whoever changes what a bound means. */
  version: z.int().positive(),
  /** Cells whose scores, regimes and single-market tests count; coverage of all markets together counts at every confidence. */
  horizonsHours: z.array(z.literal([...HORIZONS_HOURS])).min(1),
  confidences: z.array(z.literal([...CONFIDENCES])).min(1),
  /** 1 − own pinball loss over that of the champion, geometric mean over cells. */
  leastPinballGainOverChampion: share,
  /** The same over each classical forecaster: the smallest counts. */
  leastPinballGainOverClassical: share,
  /** Mean over cells of the other's FZ0 less the own, in the unit of FZ0: what VaR and ES are better by together, in logarithms of ES. */
  leastFz0GainOverChampion: z.number(),
  leastFz0GainOverClassical: z.number(),
  /** Chance that right forecasts fail a gate of coverage. */
  coverageSignificance: z.number().positive().max(0.5),
  /** In no regime may pinball, geometric mean over cells, be more than this times the champion's or any classical forecaster's. */
  mostRegimePinballRatio: positive,
  /** In the highest fifth of volatility losses may exceed VaR this times as often as they should. */
  mostStressExceedanceRatio: positive,
  /** VaR may fall by this share where volatility rises. */
  mostMonotoneFall: z.number().min(0).max(1),
  /** To score 500 markets. */
  mostLatencyMilliseconds: positive,
  mostSizeBytes: positive,
});

export type GatePolicy = z.infer<typeof gatePolicySchema>;

export const DEFAULT_GATE_POLICY: GatePolicy = {
  version: 1,
  horizonsHours: [...HORIZONS_HOURS],
  confidences: [0.95, 0.99],
  leastPinballGainOverChampion: 0.0025,
  leastPinballGainOverClassical: 0.005,
  leastFz0GainOverChampion: 0.001,
  leastFz0GainOverClassical: 0.005,
  coverageSignificance: 0.05,
  mostRegimePinballRatio: 1.05,
  mostStressExceedanceRatio: 1.5,
  mostMonotoneFall: MONOTONE_TOLERANCE,
  mostLatencyMilliseconds: 10,
  mostSizeBytes: 16 * 1024 * 1024,
};

/**
 * A policy from what a JSON or YAML file holds: bounds that it names take the place of the default ones.
 *
 * @param content undefined where the file says nothing. @returns the default policy with every fault, where there is one.
 */
export function gatePolicyFromInput(content: unknown): {
  readonly policy: GatePolicy;
  readonly faults: readonly string[];
} {
  if (content === undefined) return { policy: DEFAULT_GATE_POLICY, faults: [] };
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    return { policy: DEFAULT_GATE_POLICY, faults: ['gates must hold bounds by name'] };
  const parsed = gatePolicySchema.safeParse({ ...DEFAULT_GATE_POLICY, ...content });
  if (parsed.success) return { policy: parsed.data, faults: [] };
  const faults = parsed.error.issues.map(
    ({ path, message }) => `${['gates', ...path].join('.')}: ${message}`,
  );
  return { policy: DEFAULT_GATE_POLICY, faults };
}

/** The number of a policy and the beginning of the hash of its content: two that differ in a bound differ in this. */
export function gatePolicyVersion(policy: GatePolicy): string {
  const content = Object.entries(policy).sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return `${policy.version}-${hash.slice(0, 8)}`;
}
