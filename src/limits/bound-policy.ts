/** The settings of the bounds that are more than one number. */
export interface BoundPolicy {
  /** Where filtered historical simulation, and the tail estimate (extreme-value theory), are among the classical margins. */
  readonly filteredUse: BoundUse;
  readonly tailUse: BoundUse;
  /** The shock model is believed up to this many times the classical margin; what it asks for beyond that is taken for extrapolation. */
  readonly modelMaximumRatio: number;
  readonly antiProcyclical: AntiProcyclicalPolicy;
  readonly crowding: CrowdingPolicy;
  readonly depth: DepthPolicy;
  readonly marketWide: MarketWidePolicy;
  readonly systemStress: SystemStressPolicy;
}

export const BOUND_USES = ['both', 'maintenance', 'none'] as const;
/** In both margins, in the maintenance margin alone, or only shown. */
export type BoundUse = (typeof BOUND_USES)[number];

export const ANTI_PROCYCLICAL_OPTIONS = ['buffer', 'stressedWeight', 'longLookbackFloor', 'none'] as const;
/** The three options of EMIR RTS 153/2013, Article 28 (1) (a), (b) and (c), and none of them. */
export type AntiProcyclicalOption = (typeof ANTI_PROCYCLICAL_OPTIONS)[number];

export interface AntiProcyclicalPolicy {
  readonly option: AntiProcyclicalOption;
  /** (a) The buffer on top of the calculated initial margin when it is full; the rule asks for 0.25. */
  readonly bufferRatio: number;
  /** (a) The buffer is drawn while the calculated margin is above this ratio of its own average of recent hours. */
  readonly sharpRiseRatio: number;
  /** (a) Time constant of that average. */
  readonly referenceHours: number;
  /** (a) An empty buffer is full again after this long. */
  readonly refillHours: number;
  /** (b) Weight of stressed observations; the rule asks for 0.25 at least. */
  readonly stressedWeight: number;
  /** (b) Days of the market's history, the most volatile ones, that are the stressed observations. */
  readonly stressedDays: number;
  /** (c) Years of history behind the volatility of the floor, or all there are. */
  readonly lookbackYears: number;
  /** (c) The floor is this share of the margin at that volatility; the rule asks for 1. */
  readonly floorRatio: number;
}

export interface CrowdingPolicy {
  /** Open interest older than this counts as missing. */
  readonly staleAfterHours: number;
  /** While it is missing, the last one known counts for this long. */
  readonly holdHours: number;
  /** After that at least this share of the way from the lower to the upper cap counts as taken, in [0, 1]. */
  readonly conservativeShare: number;
}

/** How the order book counts where it is known. */
export interface DepthPolicy {
  /** A book that is older than this does not count. */
  readonly staleAfterHours: number;
  /** The book counts as filled again after this long; 0 where it is not to count. */
  readonly refillHours: number;
}

export interface MarketWidePolicy {
  /** From this share of markets in stress on margins rise; at the other they have risen all the way. */
  readonly stressedShareFrom: number;
  readonly stressedShareTo: number;
  /** The same for the day's return of all markets together, in its own standard deviations, either way. */
  readonly commonShockFrom: number;
  readonly commonShockTo: number;
  /** Initial margins of all markets rise to at most this many times what they are. */
  readonly maximumFactor: number;
  /** Of fewer markets no share is taken. */
  readonly minimumMarkets: number;
}

/** When accounts and their positions, as one system, raise the initial margins of all markets. */
export interface SystemStressPolicy {
  /** All markets fall, and rise, by this share: the shock whose cascade is looked at. */
  readonly shockRate: number;
  /** Marked notional of everybody over marked equity, from which on margins rise, and at which they have risen all the way. */
  readonly leverageFrom: number;
  readonly leverageTo: number;
  /** The same for the share of the open notional that the shock ends in forced sales. */
  readonly forcedShareFrom: number;
  readonly forcedShareTo: number;
  /** The same for bad debt of the shock over the insurance fund. */
  readonly fundUseFrom: number;
  readonly fundUseTo: number;
  /** Initial margins rise to at most this many times what they are; 1 where none of it is to count. */
  readonly maximumFactor: number;
  readonly minimumAccounts: number;
  /** Older than this, the last factor holds and nothing loosens. */
  readonly staleAfterHours: number;
}

/** Markets that the house treats alike. */
export interface AssetClass {
  readonly name: string;
  /** Symbols or base assets; `*` stands for any characters. `BTC` is every market of bitcoin, `BTCUSDT` one of them. */
  readonly members: readonly string[];
  readonly maximumLeverage: number;
  /** Younger than this, a market may tighten and not loosen, and has at most `youngListingMaximumLeverage`. */
  readonly youngListingDays: number;
  readonly youngListingMaximumLeverage: number;
  /**
   * Open interest in quote units from which on initial margin rises, and at which it is all of the notional. 0 and 0 for
   * no such rule.
   */
  readonly crowdingLowerCap: number;
  readonly crowdingUpperCap: number;
}

export const DEFAULT_BOUND_POLICY: BoundPolicy = {
  filteredUse: 'both',
  tailUse: 'both',
  modelMaximumRatio: 1.5,
  antiProcyclical: {
    option: 'none',
    bufferRatio: 0.25,
    sharpRiseRatio: 1.05,
    referenceHours: 120,
    refillHours: 240,
    stressedWeight: 0.25,
    stressedDays: 90,
    lookbackYears: 10,
    floorRatio: 1,
  },
  crowding: { staleAfterHours: 6, holdHours: 24, conservativeShare: 0.05 },
  depth: { staleAfterHours: 1, refillHours: 0.25 },
  marketWide: {
    stressedShareFrom: 0.25,
    stressedShareTo: 0.75,
    commonShockFrom: 3,
    commonShockTo: 6,
    maximumFactor: 1.25,
    minimumMarkets: 5,
  },
  systemStress: {
    shockRate: 0.2,
    leverageFrom: 10,
    leverageTo: 25,
    forcedShareFrom: 0.2,
    forcedShareTo: 0.6,
    fundUseFrom: 0.5,
    fundUseTo: 2,
    maximumFactor: 1.25,
    minimumAccounts: 100,
    staleAfterHours: 1,
  },
};

/** Every contradiction in words that name the setting; empty for a good policy. */
export function boundPolicyFaults(policy: BoundPolicy): string[] {
  const { antiProcyclical: calm, crowding, depth, marketWide } = policy;
  const faults: string[] = [];
  const need = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(`bounds.${fault}`);
  };
  for (const name of ['filteredUse', 'tailUse'] as const)
    need(BOUND_USES.includes(policy[name]), `${name} must be one of ${BOUND_USES.join(', ')}`);
  need(
    ANTI_PROCYCLICAL_OPTIONS.includes(calm.option),
    `antiProcyclical.option must be one of ${ANTI_PROCYCLICAL_OPTIONS.join(', ')}`,
  );
  need(
    policy.modelMaximumRatio >= 1 && Number.isFinite(policy.modelMaximumRatio),
    'modelMaximumRatio must be a number of at least 1',
  );
  const above = (value: number, least: number): boolean => Number.isFinite(value) && value > least;
  need(above(calm.bufferRatio, 0), 'antiProcyclical.bufferRatio must be a number above 0');
  need(
    calm.sharpRiseRatio >= 1 && calm.sharpRiseRatio < 10,
    'antiProcyclical.sharpRiseRatio must be in [1, 10)',
  );
  for (const name of [
    'referenceHours',
    'refillHours',
    'stressedDays',
    'lookbackYears',
    'floorRatio',
  ] as const) {
    need(above(calm[name], 0), `antiProcyclical.${name} must be a number above 0`);
  }
  need(
    calm.stressedWeight > 0 && calm.stressedWeight < 1,
    'antiProcyclical.stressedWeight must be between 0 and 1',
  );
  need(above(crowding.staleAfterHours, 0), 'crowding.staleAfterHours must be a number above 0');
  need(
    crowding.holdHours >= 0 && Number.isFinite(crowding.holdHours),
    'crowding.holdHours must not be below 0',
  );
  need(
    crowding.conservativeShare >= 0 && crowding.conservativeShare <= 1,
    'crowding.conservativeShare must be in [0, 1]',
  );
  need(above(depth.staleAfterHours, 0), 'depth.staleAfterHours must be a number above 0');
  need(
    depth.refillHours >= 0 && Number.isFinite(depth.refillHours),
    'depth.refillHours must be a number of at least 0',
  );
  need(
    marketWide.stressedShareFrom >= 0 && marketWide.stressedShareFrom < marketWide.stressedShareTo,
    'marketWide.stressedShareFrom must be at least 0 and below stressedShareTo',
  );
  need(marketWide.stressedShareTo <= 1, 'marketWide.stressedShareTo must not be above 1');
  need(
    marketWide.commonShockFrom >= 0 && marketWide.commonShockFrom < marketWide.commonShockTo,
    'marketWide.commonShockFrom must be at least 0 and below commonShockTo',
  );
  need(Number.isFinite(marketWide.commonShockTo), 'marketWide.commonShockTo must be a number');
  need(
    marketWide.maximumFactor >= 1 && Number.isFinite(marketWide.maximumFactor),
    'marketWide.maximumFactor must be a number of at least 1',
  );
  need(
    Number.isInteger(marketWide.minimumMarkets) && marketWide.minimumMarkets >= 1,
    'marketWide.minimumMarkets must be a whole number of at least 1',
  );
  faults.push(...systemStressFaults(policy.systemStress));
  return faults;
}

function systemStressFaults(rules: SystemStressPolicy): string[] {
  const faults: string[] = [];
  const need = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(`bounds.systemStress.${fault}`);
  };
  need(rules.shockRate > 0 && rules.shockRate < 1, 'shockRate must be between 0 and 1');
  for (const name of ['leverage', 'forcedShare', 'fundUse'] as const) {
    const [from, to] = [rules[`${name}From`], rules[`${name}To`]];
    need(from >= 0 && from < to, `${name}From must be at least 0 and below ${name}To`);
    need(Number.isFinite(to), `${name}To must be a number`);
  }
  need(rules.forcedShareTo <= 1, 'forcedShareTo must not be above 1');
  need(
    rules.maximumFactor >= 1 && Number.isFinite(rules.maximumFactor),
    'maximumFactor must be a number of at least 1',
  );
  need(
    Number.isInteger(rules.minimumAccounts) && rules.minimumAccounts >= 1,
    'minimumAccounts must be a whole number of at least 1',
  );
  need(
    rules.staleAfterHours > 0 && Number.isFinite(rules.staleAfterHours),
    'staleAfterHours must be a number above 0',
  );
  return faults;
}

/** @param maximumLeverage of any market. */
export function classFaults(classes: readonly AssetClass[], maximumLeverage: number): string[] {
  const faults: string[] = [];
  const names = new Set<string>();
  const members = new Map<string, string>();
  for (const one of classes) {
    const need = (holds: boolean, fault: string): void => {
      if (!holds) faults.push(`classes.${one.name} ${fault}`);
    };
    need(one.name !== '' && one.name !== REST_CLASS && !names.has(one.name), 'must have a name of its own');
    names.add(one.name);
    need(one.members.length > 0, 'must have members');
    for (const member of one.members) {
      need(/^[A-Z0-9*]{1,30}$/.test(member), `holds ${member}, which is no symbol, base asset or pattern`);
      const other = members.get(member);
      need(other === undefined, `holds ${member}, which is in ${other} already`);
      members.set(member, one.name);
    }
    need(
      one.maximumLeverage >= 1 && one.maximumLeverage <= maximumLeverage,
      'must have a maximumLeverage from 1 to that of the policy',
    );
    need(
      one.youngListingMaximumLeverage >= 1 && one.youngListingMaximumLeverage <= one.maximumLeverage,
      'must have a youngListingMaximumLeverage from 1 to its maximumLeverage',
    );
    need(
      one.youngListingDays >= 0 && Number.isFinite(one.youngListingDays),
      'needs youngListingDays of at least 0',
    );
    faults.push(...crowdingCapFaults(one).map((fault) => `classes.${one.name} ${fault}`));
  }
  return faults;
}

/** What class a market is in that no class names. */
export const REST_CLASS = 'rest';

export function crowdingCapFaults({
  crowdingLowerCap: lower,
  crowdingUpperCap: upper,
}: Pick<AssetClass, 'crowdingLowerCap' | 'crowdingUpperCap'>): string[] {
  const isOff = lower === 0 && upper === 0;
  const isRange = Number.isSafeInteger(lower) && Number.isSafeInteger(upper) && lower >= 0 && lower < upper;
  return isOff || isRange
    ? []
    : [
        'crowdingLowerCap and crowdingUpperCap must be whole numbers, 0 ≤ crowdingLowerCap < crowdingUpperCap, or both 0',
      ];
}
