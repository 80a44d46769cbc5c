/** When an account is warned, called, reduced and liquidated, and how. Ratios are maintenance margin over equity. */
export interface AccountPolicy {
  /** `advise`: the exchange decides what to do with an intervention; `command`: it is expected to do it. */
  readonly interventionMode: InterventionMode;
  readonly warningRatio: number;
  readonly marginCallRatio: number;
  /** From here on an account may only reduce. */
  readonly reduceOnlyRatio: number;
  /** From here on positions are reduced in stages. */
  readonly reductionRatio: number;
  readonly liquidationRatio: number;
  /** From here on, or with no equity left, the backstop takes positions over. */
  readonly backstopRatio: number;
  /** A threshold that was crossed can be crossed again once the ratio was this far below it. */
  readonly rearmRatio: number;
  /** A reduction brings the ratio down to this. */
  readonly reductionTargetRatio: number;
  /** A position above this notional is reduced in slices. */
  readonly sliceAboveNotional: number;
  /** Share of the position that one slice is. */
  readonly sliceRatio: number;
  /** Least time between two slices. */
  readonly coolDownSeconds: number;
  /** Liquidation probabilities are of this horizon; one that forecasts come in. */
  readonly liquidationHorizonHours: number;
  /** In the quote asset, for all markets together; null where the house does not say. */
  readonly insuranceFund: number | null;
}

export const INTERVENTION_MODES = ['advise', 'command'] as const;
export type InterventionMode = (typeof INTERVENTION_MODES)[number];

export const DEFAULT_ACCOUNT_POLICY: AccountPolicy = {
  interventionMode: 'advise',
  warningRatio: 0.6,
  marginCallRatio: 0.75,
  reduceOnlyRatio: 0.85,
  reductionRatio: 0.95,
  liquidationRatio: 1,
  backstopRatio: 1.5,
  rearmRatio: 0.01,
  reductionTargetRatio: 0.7,
  sliceAboveNotional: 100_000,
  sliceRatio: 0.2,
  coolDownSeconds: 30,
  liquidationHorizonHours: 24,
  insuranceFund: null,
};

const RISING = [
  'warningRatio',
  'marginCallRatio',
  'reduceOnlyRatio',
  'reductionRatio',
  'liquidationRatio',
  'backstopRatio',
] as const;

/** Markets whose contracts pay otherwise than in the quote asset, quantity by quantity. */
export interface ContractTerms {
  readonly name: string;
  /** Symbols; `*` stands for any characters. The first entry that names a market counts. */
  readonly members: readonly string[];
  /** `linear`: profit in the quote asset, `contractSize` in the base asset. `inverse`: profit in the base asset, size in quote. */
  readonly kind: ContractKind;
  readonly contractSize: number;
}

export const CONTRACT_KINDS = ['linear', 'inverse'] as const;
export type ContractKind = (typeof CONTRACT_KINDS)[number];

/** Binance's coin-margined contracts; all others are linear contracts of one unit of the base asset. */
export const DEFAULT_CONTRACTS: readonly ContractTerms[] = [
  { name: 'coin-margined bitcoin', members: ['BTCUSD_*'], kind: 'inverse', contractSize: 100 },
  { name: 'coin-margined', members: ['*USD_*'], kind: 'inverse', contractSize: 10 },
];

export function contractFaults(contracts: readonly ContractTerms[]): string[] {
  const faults: string[] = [];
  for (const { name, members, kind, contractSize } of contracts) {
    if (members.length === 0) faults.push(`contracts.${name} must have members`);
    if (!CONTRACT_KINDS.includes(kind))
      faults.push(`contracts.${name} kind must be one of ${CONTRACT_KINDS.join(', ')}`);
    if (!(contractSize > 0 && Number.isFinite(contractSize)))
      faults.push(`contracts.${name} contractSize must be a number above 0`);
  }
  return faults;
}

/** What a market's contracts are. */
export function contractOf(
  symbol: string,
  contracts: readonly ContractTerms[],
): Pick<ContractTerms, 'kind' | 'contractSize'> {
  const terms = contracts.find(({ members }) => members.some((pattern) => matches(symbol, pattern)));
  return { kind: terms?.kind ?? 'linear', contractSize: terms?.contractSize ?? 1 };
}

function matches(symbol: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[^A-Za-z0-9_]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(symbol);
}

/** Every contradiction in words that name the setting; empty for a good policy. */
export function accountPolicyFaults(policy: AccountPolicy, horizonsHours: readonly number[]): string[] {
  const faults: string[] = [];
  const need = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(`accounts.${fault}`);
  };
  need(
    INTERVENTION_MODES.includes(policy.interventionMode),
    `interventionMode must be one of ${INTERVENTION_MODES.join(', ')}`,
  );
  for (const [i, name] of RISING.entries()) {
    const before = i === 0 ? null : RISING[i - 1];
    need(policy[name] > 0 && Number.isFinite(policy[name]), `${name} must be a number above 0`);
    if (before !== null) need(policy[name] > policy[before], `${name} must be above accounts.${before}`);
  }
  need(policy.liquidationRatio <= 1, 'liquidationRatio must not be above 1');
  need(
    policy.rearmRatio >= 0 && policy.rearmRatio < policy.warningRatio,
    'rearmRatio must be at least 0 and below accounts.warningRatio',
  );
  need(
    policy.reductionTargetRatio > 0 && policy.reductionTargetRatio < policy.reductionRatio,
    'reductionTargetRatio must be above 0 and below accounts.reductionRatio',
  );
  need(policy.sliceRatio > 0 && policy.sliceRatio <= 1, 'sliceRatio must be above 0 and at most 1');
  for (const name of ['sliceAboveNotional', 'coolDownSeconds'] as const) {
    need(policy[name] >= 0 && Number.isFinite(policy[name]), `${name} must be a number of at least 0`);
  }
  need(
    horizonsHours.includes(policy.liquidationHorizonHours),
    `liquidationHorizonHours must be one of ${horizonsHours.join(', ')}`,
  );
  const fund = policy.insuranceFund;
  need(fund === null || (fund >= 0 && Number.isFinite(fund)), 'insuranceFund must be at least 0, or null');
  return faults;
}
