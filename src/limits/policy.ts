import { PlimsollError } from '../errors.ts';
import {
  type AccountPolicy,
  accountPolicyFaults,
  type ContractTerms,
  contractFaults,
  DEFAULT_ACCOUNT_POLICY,
  DEFAULT_CONTRACTS,
} from './account-policy.ts';
import {
  type AssetClass,
  type BoundPolicy,
  boundPolicyFaults,
  classFaults,
  crowdingCapFaults,
  DEFAULT_BOUND_POLICY,
} from './bound-policy.ts';
import { chainHash, GENESIS_HASH } from './chain.ts';
import { DEFAULT_GOVERNOR_POLICY, type GovernorPolicy, governorPolicyFaults } from './governor-policy.ts';
import { DEFAULT_GUARD_POLICY, type GuardPolicy, guardPolicyFaults } from './guard-policy.ts';
import { DEFAULT_USER_CAP_POLICY, type UserCapPolicy, userCapPolicyFaults } from './user-policy.ts';

/**
 * The policy: what the house is willing to risk, as one value. The policy's hash is written into every decision, so
 * that a book can be replayed under exactly the rules that made it.
 */
export interface Policy {
  readonly name: string;
  /** Confidence of the maintenance margin: the closeout at the trigger is covered with this probability. */
  readonly maintenanceConfidence: number;
  /** Confidence of the expected shortfall behind the initial margin. */
  readonly initialConfidence: number;
  /** Time a user has to answer a margin call before the closeout starts. */
  readonly marginCallHorizonHours: number;
  /** The closeout never counts as quicker than this. */
  readonly minimumCloseoutHorizonHours: number;
  /** A position that takes longer to close out than this is refused: the cap of the last bracket. */
  readonly maximumCloseoutHorizonHours: number;
  /** Share of the traded volume that a closeout may be. */
  readonly participationRatio: number;
  readonly takerFeeRate: number;
  readonly halfSpreadRate: number;
  /** Y of the square-root impact law. */
  readonly impactCoefficient: number;
  /** The traded volume counted on is this quantile of the recent hourly volume: liquidity leaves when it is needed. */
  readonly volumeQuantile: number;
  /** Leverages that a bracket may have, strictly falling, ending in 1. */
  readonly leverageLadder: readonly number[];
  readonly maximumBrackets: number;
  /** Highest leverage of any market. */
  readonly maximumLeverage: number;
  /** Highest leverage while a market's history is shorter than `youngListingDays`. */
  readonly youngListingDays: number;
  readonly youngListingMaximumLeverage: number;
  /** Highest leverage while the data of a market are degraded. */
  readonly degradedMaximumLeverage: number;
  /** The stress excursions are multiplied by this. */
  readonly stressMultiplier: number;
  /**
   * VaR and ES of every forecaster, and the stress excursions, are multiplied by this before margins are made of them: the one dial of the
   * risk appetite, which `plimsoll calibrate` solves for. Closeout costs are not.
   */
  readonly marginMultiplier: number;
  /** Open-interest caps of markets that no class names, as in `AssetClass`. */
  readonly crowdingLowerCap: number;
  readonly crowdingUpperCap: number;
  /** Markets with a ceiling, an age of youth and open-interest caps of their own. */
  readonly classes: readonly AssetClass[];
  readonly bounds: BoundPolicy;
  readonly governor: GovernorPolicy;
  /** Of prices between bars. */
  readonly guard: GuardPolicy;
  /** The notional at which bounds are stated and compared, closeout cost included; by default the smallest bracket edge. */
  readonly referenceNotional: number;
  /** Maintenance margin must be at least this many times the cost of closing out the reference notional. */
  readonly closeoutCostCover: number;
  /** A book is valid for this long after it was decided. */
  readonly validityHours: number;
  /** Data older than this make the book degraded. */
  readonly staleAfterHours: number;
  /** Highest leverage of an account in its first `newAccountDays`. */
  readonly newAccountDays: number;
  readonly newAccountMaximumLeverage: number;
  /** Largest coefficient by which a user's brackets may be scaled; above 1 a user gets more than the margin curve allows. */
  readonly maximumNotionalCoef: number;
  /** Whether a coefficient above 1 also raises the largest position. */
  readonly notionalCoefRaisesLastCap: boolean;
  /** Of users, beside what markets allow. */
  readonly users: UserCapPolicy;
  /** Of positions that are open. */
  readonly accounts: AccountPolicy;
  readonly contracts: readonly ContractTerms[];
  readonly governance: GovernancePolicy;
  readonly appetite: RiskAppetite;
}

/** What calibration solves a policy for; no decision reads it. Null where the house states nothing. */
export interface RiskAppetite {
  /** Bad debt in a year as a share of the notional that was open on average. */
  readonly badDebtPerNotionalYear: number | null;
  /** Share of positions, opened at the leverage granted, that end in liquidation. */
  readonly liquidationProbability: number | null;
  /** Leverage before over leverage after the largest cut of a day. */
  readonly largestDailyCutRatio: number | null;
}

/** How long what people decide may last. */
export interface GovernancePolicy {
  readonly maximumOverrideHours: number;
  /** A freeze without an expiry of its own lasts this long. */
  readonly maximumFreezeHours: number;
  readonly maximumEmergencyHours: number;
  /** An override that waits for a second person lapses after this long. */
  readonly approvalHours: number;
}

export const DEFAULT_POLICY: Policy = {
  name: 'default',
  maintenanceConfidence: 0.999,
  initialConfidence: 0.99,
  marginCallHorizonHours: 4,
  minimumCloseoutHorizonHours: 1,
  maximumCloseoutHorizonHours: 24,
  participationRatio: 0.05,
  takerFeeRate: 0.0005,
  halfSpreadRate: 0.0002,
  impactCoefficient: 0.8,
  volumeQuantile: 0.25,
  leverageLadder: [125, 100, 75, 50, 40, 30, 25, 20, 15, 12, 10, 8, 6, 5, 4, 3, 2, 1],
  maximumBrackets: 10,
  maximumLeverage: 100,
  youngListingDays: 90,
  youngListingMaximumLeverage: 10,
  degradedMaximumLeverage: 10,
  stressMultiplier: 1,
  marginMultiplier: 1,
  crowdingLowerCap: 5_000_000_000,
  crowdingUpperCap: 20_000_000_000,
  classes: [
    {
      name: 'major',
      members: ['BTC', 'ETH'],
      maximumLeverage: 100,
      youngListingDays: 90,
      youngListingMaximumLeverage: 10,
      crowdingLowerCap: 40_000_000_000,
      crowdingUpperCap: 160_000_000_000,
    },
  ],
  bounds: DEFAULT_BOUND_POLICY,
  referenceNotional: 1000,
  closeoutCostCover: 2,
  governor: DEFAULT_GOVERNOR_POLICY,
  guard: DEFAULT_GUARD_POLICY,
  validityHours: 6,
  staleAfterHours: 3,
  newAccountDays: 60,
  newAccountMaximumLeverage: 20,
  maximumNotionalCoef: 1,
  notionalCoefRaisesLastCap: false,
  users: DEFAULT_USER_CAP_POLICY,
  accounts: DEFAULT_ACCOUNT_POLICY,
  contracts: DEFAULT_CONTRACTS,
  governance: {
    maximumOverrideHours: 720,
    maximumFreezeHours: 168,
    maximumEmergencyHours: 24,
    approvalHours: 24,
  },
  appetite: { badDebtPerNotionalYear: null, liquidationProbability: null, largestDailyCutRatio: null },
};

/** The hash that every decision carries: over all of the policy, independent of the order of its keys. */
export function policyHash(policy: Policy): string {
  return chainHash(GENESIS_HASH, policy);
}

/** Confidences and horizons that forecasts come in; a policy can only ask for these. */
export interface PolicyAxes {
  readonly horizonsHours: readonly number[];
  readonly confidences: readonly number[];
}

/**
 * Every contradiction in a policy, in words that begin with the path of the setting; empty for a good one.
 */
export function policyFaults(policy: Policy, axes: PolicyAxes): string[] {
  const faults: string[] = [];
  const need = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(fault);
  };
  const confidences = axes.confidences.join(', ');
  need(
    axes.confidences.includes(policy.maintenanceConfidence),
    `maintenanceConfidence must be one of ${confidences}`,
  );
  need(
    axes.confidences.includes(policy.initialConfidence),
    `initialConfidence must be one of ${confidences}`,
  );
  need(
    axes.horizonsHours.includes(policy.marginCallHorizonHours),
    `marginCallHorizonHours must be one of ${axes.horizonsHours.join(', ')}`,
  );
  for (const name of POSITIVE) need(isPositive(policy[name]), `${name} must be a number above 0`);
  for (const name of SHARES) need(policy[name] >= 0 && policy[name] < 1, `${name} must be in [0, 1)`);
  need(policy.participationRatio <= 1, 'participationRatio must not be above 1');
  need(
    policy.minimumCloseoutHorizonHours <= policy.maximumCloseoutHorizonHours,
    'minimumCloseoutHorizonHours must not be above maximumCloseoutHorizonHours',
  );
  need(
    policy.bounds.depth.refillHours <= policy.minimumCloseoutHorizonHours,
    'bounds.depth.refillHours must not be above minimumCloseoutHorizonHours',
  );
  faults.push(...ladderFaults(policy.leverageLadder));
  need(
    Number.isInteger(policy.maximumBrackets) && policy.maximumBrackets >= 2,
    'maximumBrackets must be a whole number of at least 2',
  );
  for (const name of NOT_NEGATIVE) {
    need(policy[name] >= 0 && Number.isFinite(policy[name]), `${name} must be a number of at least 0`);
  }
  for (const name of LEVERAGES) {
    need(policy[name] >= 1 && Number.isFinite(policy[name]), `${name} must be a number of at least 1`);
  }
  need(
    policy.youngListingMaximumLeverage <= policy.maximumLeverage,
    'youngListingMaximumLeverage must not be above maximumLeverage',
  );
  need(
    policy.degradedMaximumLeverage <= policy.maximumLeverage,
    'degradedMaximumLeverage must not be above maximumLeverage',
  );
  need(
    policy.maximumNotionalCoef >= 1e-6 && policy.maximumNotionalCoef <= LARGEST_NOTIONAL_COEF,
    `maximumNotionalCoef must be from 0.000001 to ${LARGEST_NOTIONAL_COEF}`,
  );
  faults.push(...crowdingCapFaults(policy), ...classFaults(policy.classes, policy.maximumLeverage));
  faults.push(...boundPolicyFaults(policy.bounds));
  faults.push(...guardPolicyFaults(policy.guard, axes.confidences));
  faults.push(
    ...userCapPolicyFaults(policy.users),
    ...accountPolicyFaults(policy.accounts, axes.horizonsHours),
    ...contractFaults(policy.contracts),
  );
  faults.push(...governorPolicyFaults(policy.governor).map((fault) => `governor.${fault}`));
  for (const [name, hours] of Object.entries(policy.governance))
    need(
      isPositive(hours) && hours <= LONGEST_GOVERNANCE_HOURS,
      `governance.${name} must be a number above 0, and at most ${LONGEST_GOVERNANCE_HOURS}`,
    );
  faults.push(...appetiteFaults(policy.appetite));
  return faults;
}

function appetiteFaults(appetite: RiskAppetite): string[] {
  const faults: string[] = [];
  for (const name of ['badDebtPerNotionalYear', 'liquidationProbability'] as const) {
    const share = appetite[name];
    if (share !== null && !(share > 0 && share < 1))
      faults.push(`appetite.${name} must be between 0 and 1, or null`);
  }
  const cut = appetite.largestDailyCutRatio;
  if (cut !== null && !(cut > 1 && Number.isFinite(cut)))
    faults.push('appetite.largestDailyCutRatio must be a number above 1, or null');
  return faults;
}

/** A year: what lasts longer belongs into the policy. */
const LONGEST_GOVERNANCE_HOURS = 8760;

const LARGEST_NOTIONAL_COEF = 100;

const POSITIVE = [
  'minimumCloseoutHorizonHours',
  'maximumCloseoutHorizonHours',
  'participationRatio',
  'stressMultiplier',
  'marginMultiplier',
  'referenceNotional',
  'closeoutCostCover',
  'validityHours',
  'staleAfterHours',
] as const;
const SHARES = ['takerFeeRate', 'halfSpreadRate', 'volumeQuantile'] as const;
const NOT_NEGATIVE = ['impactCoefficient', 'youngListingDays', 'newAccountDays'] as const;
const LEVERAGES = [
  'maximumLeverage',
  'youngListingMaximumLeverage',
  'degradedMaximumLeverage',
  'newAccountMaximumLeverage',
] as const;

function isPositive(value: number): boolean {
  return Number.isFinite(value) && value > 0;
}

function ladderFaults(ladder: readonly number[]): string[] {
  const faults: string[] = [];
  if (ladder.at(-1) !== 1) faults.push('leverageLadder must end in 1');
  if (ladder.some((rung) => !Number.isInteger(rung) || rung < 1 || rung > 1000)) {
    faults.push('leverageLadder must hold whole numbers from 1 to 1000');
  }
  if (ladder.some((rung, i) => i > 0 && rung >= ladder[i - 1]))
    faults.push('leverageLadder must fall strictly');
  return faults;
}

/** @throws PlimsollError POLICY_INVALID that names every contradiction at once. */
export function requireValidPolicy(policy: Policy, axes: PolicyAxes): Policy {
  const faults = policyFaults(policy, axes);
  if (faults.length === 0) return policy;
  throw new PlimsollError(
    'POLICY_INVALID',
    `the policy ${policy.name} contradicts itself: ${faults.join('; ')}`,
    {
      remedy: 'Mend every setting that is named.',
      details: { faults },
    },
  );
}
