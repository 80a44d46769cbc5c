import type { GateRecord, GateResult } from '../../models/gate-record.ts';
import { coverageGates } from './gate-coverage.ts';
import { type GatePolicy, gatePolicyVersion } from './gate-policy.ts';
import { scoreGates } from './gate-scores.ts';
import { percent, unmeasured } from './gate-words.ts';
import type { Judgement } from './judgement.ts';
import type { MonotoneResult } from './monotone.ts';
import type { PoolJudgement } from './pool.ts';

/** What the gates need beside the judgement of the forecasts. What was not measured is null, and then its gate fails. */
export interface CandidateFacts {
  /** Name of the champion's table in the judgement; null where there is no champion, and then its gates are left out. */
  readonly champion: string | null;
  /** Of the candidate, with the level 1 − `coverageSignificance` of the policy. */
  readonly pool: PoolJudgement | null;
  readonly monotone: MonotoneResult | null;
  /** To score 500 markets. */
  readonly latencyMilliseconds: number | null;
  /** Of the version's weights. */
  readonly sizeBytes: number | null;
}

/**
 * Holds a candidate against the conditions of promotion. All of them are measured and told, also after one that failed.
 *
 * @returns in the order of docs/gates.md.
 */
export function checkGates(
  judgement: Judgement,
  facts: CandidateFacts,
  policy: GatePolicy,
): readonly GateResult[] {
  return [
    ...scoreGates(judgement, facts.champion, policy),
    ...coverageGates(judgement, facts.pool, policy),
    monotoneGate(facts.monotone, policy.mostMonotoneFall),
    atMost(
      'latency',
      facts.latencyMilliseconds,
      policy.mostLatencyMilliseconds,
      (value) => `${value.toFixed(2)} ms for 500 markets`,
    ),
    atMost('size', facts.sizeBytes, policy.mostSizeBytes, (value) => `${Math.round(value)} bytes`),
  ];
}

/** As a manifest keeps it. @param champion version that the candidate was held against. @param judgedAt ISO 8601. */
export function gateRecordOf(
  results: readonly GateResult[],
  policy: GatePolicy,
  champion: string | null,
  judgedAt: string,
): GateRecord {
  return {
    policyVersion: gatePolicyVersion(policy),
    champion,
    judgedAt,
    passed: results.every((result) => result.passed),
    results: [...results],
  };
}

function monotoneGate(result: MonotoneResult | null, bound: number): GateResult {
  if (result === null || result.comparisons === 0) return unmeasured('monotone', bound);
  const { comparisons, largestFall, violations, worst } = result;
  const where =
    worst === null
      ? ''
      : `, at most by ${percent(largestFall, 3)}: ${worst.side} ${worst.horizonHours} h ${percent(worst.confidence)}`;
  return {
    gate: 'monotone',
    passed: largestFall <= bound,
    measured: largestFall,
    bound,
    words: `VaR fell with more volatility in ${violations} of ${comparisons} comparisons${where}; it may by ${percent(bound, 3)}`,
  };
}

function atMost(
  gate: string,
  measured: number | null,
  bound: number,
  say: (value: number) => string,
): GateResult {
  if (measured === null || !Number.isFinite(measured)) return unmeasured(gate, bound);
  return {
    gate,
    passed: measured <= bound,
    measured,
    bound,
    words: `${say(measured)}, at most ${say(bound)}`,
  };
}
