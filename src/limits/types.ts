/**
 * The words of a limit, as data. Everything here is exact: notionals are whole units of the quote asset, rates are
 * parts per million, maintenance amounts are millionths of the quote asset; all are safe integers. Evidence may hold
 * floating-point numbers: it explains, no decision is computed from it.
 */
export interface Bracket {
  /** 1 is the bracket of the smallest notionals. */
  readonly bracket: number;
  /** A position p is in the bracket with notionalFloor < p ≤ notionalCap. */
  readonly notionalFloor: number;
  readonly notionalCap: number;
  readonly maxLeverage: number;
  readonly initialMarginRatePpm: number;
  readonly maintenanceMarginRatePpm: number;
  /** Maintenance margin of notional n is n · rate − amount; in millionths of the quote asset. */
  readonly maintenanceAmountMicros: number;
}

export type EvidenceValue = string | number | boolean | null;

/** One named upper limit on leverage, with what it rests on. */
export interface Bound {
  readonly name: BoundName;
  /** Leverage at the smallest notional; null where the bound does not limit or is not available. */
  readonly maxLeverage: number | null;
  readonly available: boolean;
  /** Why it is not available; empty otherwise. */
  readonly unavailableReason: string;
  readonly evidence: Readonly<Record<string, EvidenceValue>>;
  /** Version of the rule or model behind it. */
  readonly version: string;
}

export const BOUND_NAMES = [
  'shockModel',
  'historical',
  'filtered',
  'tail',
  'stress',
  'antiProcyclical',
  'crowding',
  'marketWide',
  'intrabar',
  'liquidity',
  'listingAge',
  'dataQuality',
  'policyCeiling',
  'override',
  'governor',
] as const;
export type BoundName = (typeof BOUND_NAMES)[number];

/**
 * What a decision leaves to the next one about its bounds. It is part of the book, so a decision follows from its
 * inputs and the book before it alone. All rates are shares of the notional, all times epoch milliseconds.
 */
export interface BoundState {
  /** Null unless the policy keeps an anti-procyclical buffer. */
  readonly buffer: BufferState | null;
  /** Null while no open interest has been known. */
  readonly crowding: CrowdingState | null;
  /** Null while nothing has been known of the markets together. */
  readonly marketWide: MarketWideState | null;
  /** The same of accounts and their positions; left out while nobody has looked at them. */
  readonly systemStress?: MarketWideState;
  /** Absent unless prices have left what was forecast since the market's newest bar closed. */
  readonly intrabar?: IntrabarState;
  /** When the order book that counted last was seen, epoch milliseconds; left out while none has counted. */
  readonly depthObservedAt?: number;
}

export interface IntrabarState {
  /** Close of that bar. */
  readonly since: number;
  /** The worst adverse excursion over what the forecast allowed for its time; above 1. */
  readonly ratio: number;
  /** The worst one as a share of the price at that close. */
  readonly excursion: number;
}

export interface BufferState {
  /** Share of the calculated margin that is asked for on top of it. */
  readonly ratio: number;
  /** The calculated initial margin rate at the policy's reference notional. */
  readonly marginRate: number;
  /** Its average over the policy's reference hours, before this decision. */
  readonly referenceMarginRate: number;
  readonly updatedAt: number;
}

export interface CrowdingState {
  /** The last one that was known, in quote units. */
  readonly openInterest: number;
  readonly observedAt: number;
  /** Since when it is missing; null while it is known. */
  readonly missingSince: number | null;
}

export interface MarketWideState {
  readonly factor: number;
  readonly observedAt: number;
}

export type Move = 'initial' | 'tighten' | 'loosen' | 'hold';

export interface GovernorRecord {
  readonly move: Move;
  /** Top leverage before this decision; null for the first. */
  readonly previousMaxLeverage: number | null;
  /** Top leverage that the bounds alone would give. */
  readonly targetMaxLeverage: number;
  readonly publishedMaxLeverage: number;
  /** Since when (epoch milliseconds) this market's schedule has been what it is. */
  readonly changedAt: number;
  /** Earliest time of the next loosening, epoch milliseconds. */
  readonly looseningAllowedAt: number;
  /** True from a tightening that stopped at the floor of one decision to the next change: more was to follow. */
  readonly paced?: boolean;
  /** In a decision that went below the floor, or shortened a notice, because it could: why it could. */
  readonly emergency?: { readonly reason: string; readonly declaredBy: string };
  /** In a decision that moved nothing because it must not: who wanted that. */
  readonly frozen?: {
    readonly id: string;
    readonly reason: string;
    readonly frozenBy: string;
    readonly frozenAt: number;
  };
}

/** A maintenance table that will hold open positions, and when. */
export interface Announcement {
  readonly brackets: readonly Bracket[];
  /** Epoch milliseconds. The first decision that is not frozen, from then on, puts it in force. */
  readonly effectiveAt: number;
  /** When what it asks for was last raised, epoch milliseconds: notice counts from here. */
  readonly announcedAt: number;
}

export type QualityGrade = 'accept' | 'degrade' | 'reject';

export interface SideProbability {
  /** Null where no forecast tells: an unknown probability is not a small one. */
  readonly long: number | null;
  readonly short: number | null;
}

/** One cell of the forecast that a decision rests on, kept with it. */
export interface ForecastCell {
  readonly side: 'long' | 'short';
  readonly horizonHours: number;
  readonly confidence: number;
  readonly valueAtRisk: number;
  readonly expectedShortfall: number;
}

export interface ShockCell {
  readonly side: 'long' | 'short';
  readonly horizonHours: number;
  readonly threshold: number;
  readonly probability: number;
}

/** One market's part of a book: its schedule and everything that explains it. */
export interface MarketLimit {
  readonly symbol: string;
  /** What new orders are held to. */
  readonly brackets: readonly Bracket[];
  /**
   * What open positions are held to, where that is not `brackets`; nowhere does it ask for more. Its margins keep the
   * invariants of a schedule; its leverages never rise, may repeat, and bind nobody. See `maintenanceOf`.
   */
  readonly maintenance?: readonly Bracket[];
  /** What open positions will be held to, soonest first; absent where nothing is announced. None asks for more than `brackets`. */
  readonly announced?: readonly Announcement[];
  readonly bindingBound: BoundName;
  readonly bounds: readonly Bound[];
  readonly reasons: readonly ReasonCode[];
  readonly governor: GovernorRecord;
  /** Absent in books of versions before there was any. */
  readonly boundState?: BoundState;
  readonly quality: QualityGrade;
  readonly simulated: boolean;
  /** Close of the newest bar used, epoch milliseconds. */
  readonly asOf: number;
  /** Probability that a position opened at the top leverage meets its liquidation trigger within the margin-call horizon. */
  readonly shockProbability: SideProbability;
  /** The forecaster whose numbers are in `forecasts`: the shock model, or the classical one that stood in. */
  readonly model: string;
  readonly forecasts: readonly ForecastCell[];
  readonly shocks: readonly ShockCell[];
}

/** The schedules of all markets at one version. Immutable once published. */
export interface LimitBook {
  /** 1, 2, 3, … without gaps. */
  readonly version: number;
  /** SHA-256 of the previous book's hash and this book's canonical JSON without `hash`. */
  readonly hash: string;
  /** Hash of the book before; 64 zeros for the first. */
  readonly previousHash: string;
  /** Epoch milliseconds. */
  readonly decidedAt: number;
  readonly effectiveAt: number;
  readonly validUntil: number;
  /** Close of the newest bar that any market used. */
  readonly asOf: number;
  readonly degraded: boolean;
  readonly simulated: boolean;
  readonly reasons: readonly ReasonCode[];
  /** Id of the shock model, or null where the classical predictor stood in for all. */
  readonly model: string | null;
  readonly policyHash: string;
  /** SHA-256 over the inputs that the decision used (bars, forecasts). */
  readonly inputsHash: string;
  readonly markets: readonly MarketLimit[];
}

/** Why a limit is what it is, for machines; `docs/reasons.md` says each in a sentence. */
export const REASON_CODES = [
  'SHOCK_MODEL_BINDS',
  'HISTORICAL_BINDS',
  'FILTERED_BINDS',
  'TAIL_BINDS',
  'STRESS_FLOOR_HOLDS',
  'ANTI_PROCYCLICAL_BINDS',
  'CROWDING_BINDS',
  'MARKET_WIDE_BINDS',
  'INTRABAR_BINDS',
  'LIQUIDITY_BINDS',
  'DATA_QUALITY_BINDS',
  'POLICY_CEILING_BINDS',
  'LISTING_AGE_BINDS',
  'OVERRIDE_BINDS',
  'GOVERNOR_HOLDS',
  'GOVERNOR_TIGHTENED',
  'GOVERNOR_LOOSENED',
  'GOVERNOR_PACED',
  'GOVERNOR_EMERGENCY',
  'GOVERNOR_FROZEN',
  'MAINTENANCE_ANNOUNCED',
  'MAINTENANCE_RAISED',
  'CLOCK_WENT_BACK',
  'FIRST_DECISION',
  'MODEL_UNAVAILABLE',
  'CLASSICAL_FALLBACK',
  'DATA_STALE',
  'DATA_DEGRADED',
  'DATA_REJECTED',
  'MARKET_MISSING',
  'HISTORY_SHORT',
  'BOUND_INPUT_MISSING',
  'INTRABAR_GUARD',
  'YOUNG_LISTING',
  'SIMULATED',
] as const;
export type ReasonCode = (typeof REASON_CODES)[number];
