import { HOUR_MILLISECONDS } from '../../units.ts';
import type { SystemStressPolicy } from '../bound-policy.ts';
import type { SystemStressInput } from '../market-input.ts';
import type { EvidenceValue, MarketWideState } from '../types.ts';

/** How much accounts and their positions, as one system, raise the initial margins of all markets. */
export interface SystemStress {
  readonly factor: number;
  readonly state: MarketWideState | null;
  /** What is known now cannot be used: the last factor stands, and nothing loosens. */
  readonly isHeld: boolean;
  /** Keys in order, all after those of the market-wide bound. */
  readonly evidence: Readonly<Record<string, EvidenceValue>>;
}

/**
 * The factor that the system of accounts asks for now. Where nobody ever looked at it, it is not there at all; what was
 * known and is late, impossible or gone holds at the highest of what it was last.
 *
 * @returns null where it does not count: never known, or switched off by a maximum factor of 1.
 */
export function systemStress(
  input: SystemStressInput | undefined,
  previous: MarketWideState | undefined,
  rules: SystemStressPolicy,
  decidedAt: number,
): SystemStress | null {
  // Before the rules: policies that are replayed from before there were any have none.
  if (input === undefined && previous === undefined) return null;
  if (rules.maximumFactor <= 1) return null;
  const fault = input === undefined ? 'nobody has looked' : faultOf(input, rules, decidedAt);
  if (input === undefined || fault !== '') return held(fault, input, previous, rules);
  const factor = systemStressFactor(input, rules);
  const { observedAt, leverage, forcedShare, fundUse, accounts, source } = input;
  return {
    factor,
    state: { factor, observedAt },
    isHeld: false,
    evidence: {
      systemAccounts: accounts,
      systemFactor: factor,
      systemForcedShare: forcedShare,
      systemFundUse: fundUse,
      systemHeld: false,
      systemLeverage: leverage,
      systemObservedAt: observedAt,
      systemSource: source,
    },
  };
}

function held(
  fault: string,
  input: SystemStressInput | undefined,
  previous: MarketWideState | undefined,
  rules: SystemStressPolicy,
): SystemStress {
  // Late is not wrong: what was seen last may ask for more than what counted last.
  const late = input !== undefined && impossibility(input) === '' ? systemStressFactor(input, rules) : 1;
  const factor = Math.max(previous?.factor ?? 1, late);
  const evidence = { systemFactor: factor, systemHeld: true, systemMissing: fault };
  const observedAt = previous?.observedAt ?? 0;
  return { factor, state: previous === undefined ? null : { factor, observedAt }, isHeld: true, evidence };
}

/**
 * 1 + (maximum − 1) · the furthest on its way: leverage of everybody, share of open notional that the policy's shock sells
 * by force, or bad debt of that shock over the insurance fund.
 */
export function systemStressFactor(
  { leverage, forcedShare, fundUse }: Pick<SystemStressInput, 'leverage' | 'forcedShare' | 'fundUse'>,
  rules: SystemStressPolicy,
): number {
  const furthest = Math.max(
    way(leverage, rules.leverageFrom, rules.leverageTo),
    way(forcedShare, rules.forcedShareFrom, rules.forcedShareTo),
    way(fundUse, rules.fundUseFrom, rules.fundUseTo),
  );
  return 1 + (rules.maximumFactor - 1) * furthest;
}

function way(value: number, from: number, to: number): number {
  return Math.min(Math.max((value - from) / (to - from), 0), 1);
}

function faultOf(input: SystemStressInput, rules: SystemStressPolicy, decidedAt: number): string {
  const impossible = impossibility(input);
  if (impossible !== '') return impossible;
  const { accounts, observedAt } = input;
  if (!(accounts >= rules.minimumAccounts))
    return `only ${accounts} accounts could be judged; ${rules.minimumAccounts} are needed`;
  if (!(observedAt <= decidedAt)) return 'it was seen in the future';
  const hours = (decidedAt - observedAt) / HOUR_MILLISECONDS;
  return hours > rules.staleAfterHours ? `it was seen ${hours.toFixed(1)} hours ago` : '';
}

/** Beyond these it is a fault of whoever computed it. */
const LARGEST_RATIO = 1e9;

function impossibility({ leverage, forcedShare, fundUse }: SystemStressInput): string {
  if (!(leverage >= 0 && leverage <= LARGEST_RATIO)) return 'the leverage is no possible number';
  if (!(forcedShare >= 0 && forcedShare <= 1)) return 'the share that is sold by force is no share';
  if (!(fundUse >= 0 && fundUse <= LARGEST_RATIO)) return 'the use of the fund is no possible number';
  return '';
}
