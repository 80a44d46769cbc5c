import { Random } from '../random.ts';
import { decideBook } from './decide.ts';
import { type GovernanceState, NO_GOVERNANCE } from './governance.ts';
import type { GovernorPolicy } from './governor-policy.ts';
import type { MarketInput } from './market-input.ts';
import type { Policy } from './policy.ts';
import { absent, context, DECIDED_AT, EXAMPLE_POLICY, forecast, HOUR, largeMarket } from './test-inputs.ts';
import { stepFaults } from './test-step-checker.ts';
import type { LimitBook, MarketLimit } from './types.ts';

/** One thing that happens to a market. */
export type Happening =
  | {
      readonly kind: 'market';
      readonly tail: number;
      readonly volume: number;
      readonly openInterest: number | null;
    }
  | { readonly kind: 'lose' | 'find'; readonly what: Losable }
  | { readonly kind: 'freeze'; readonly all: boolean; readonly hours: number | null }
  | {
      readonly kind: 'override';
      readonly maxLeverage: number;
      readonly mayLoosen: boolean;
      readonly hours: number;
    }
  | { readonly kind: 'emergency'; readonly hours: number }
  | { readonly kind: 'thaw' | 'calm' }
  | { readonly kind: 'policy'; readonly governor: Partial<GovernorPolicy>; readonly maximumLeverage: number }
  | { readonly kind: 'decide'; readonly hoursLater: number };

export const LOSABLE = [
  'shockModel',
  'historical',
  'filtered',
  'tail',
  'liquidity',
  'freshness',
  'quality',
  'everything',
  'age',
  'market',
] as const;
type Losable = (typeof LOSABLE)[number];

/** A market with its people and its clock, decided over and over; every decision is judged. */
export class GovernedMarket {
  #now = DECIDED_AT;
  #policy: Policy = EXAMPLE_POLICY;
  #governance: GovernanceState = NO_GOVERNANCE;
  #tail = 0.02;
  #volume = 500e6;
  #openInterest: number | null = null;
  readonly #lost = new Set<Losable>();
  #book: LimitBook | null = null;
  #numbered = 0;

  get limit(): MarketLimit | null {
    return this.#book?.markets[0] ?? null;
  }

  /** @returns what the decision did against the rules; nothing for everything that is no decision. */
  happens(happening: Happening): string[] {
    const { kind } = happening;
    if (kind === 'decide') return this.#decide(happening.hoursLater);
    if (kind === 'market') {
      this.#tail = happening.tail;
      this.#volume = happening.volume;
      this.#openInterest = happening.openInterest;
    } else if (kind === 'policy') {
      this.#policy = {
        ...this.#policy,
        maximumLeverage: happening.maximumLeverage,
        governor: { ...this.#policy.governor, ...happening.governor },
      };
    } else if (kind === 'lose') this.#lost.add(happening.what);
    else if (kind === 'find') this.#lost.delete(happening.what);
    else this.#peopleDecide(happening);
    return [];
  }

  #peopleDecide(happening: Happening): void {
    const state = this.#governance;
    const said = { reason: `reason ${this.#numbered}`, id: `${this.#numbered++}` };
    const until = (hours: number): number => this.#now + hours * HOUR;
    if (happening.kind === 'freeze') {
      const freeze = {
        ...said,
        symbol: happening.all ? null : 'BTCUSDT',
        frozenBy: 'ann',
        frozenAt: this.#now,
        expiresAt: happening.hours === null ? null : until(happening.hours),
      };
      this.#governance = { ...state, freezes: [...state.freezes, freeze].slice(-3) };
    } else if (happening.kind === 'thaw') this.#governance = { ...state, freezes: [] };
    else if (happening.kind === 'override') {
      const override = {
        ...said,
        symbol: 'BTCUSDT',
        maxLeverage: happening.maxLeverage,
        mayLoosen: happening.mayLoosen,
        requestedBy: 'ann',
        requestedAt: this.#now,
        approvedBy: happening.mayLoosen ? 'carol' : null,
        approvedAt: happening.mayLoosen ? this.#now : null,
        expiresAt: until(happening.hours),
      };
      this.#governance = { ...state, overrides: [...state.overrides, override].slice(-2) };
    } else if (happening.kind === 'emergency') {
      const emergency = {
        reason: said.reason,
        declaredBy: 'ann',
        declaredAt: this.#now,
        expiresAt: until(happening.hours),
      };
      this.#governance = { ...state, emergency };
    } else this.#governance = { ...state, emergency: null };
  }

  #decide(hoursLater: number): string[] {
    this.#now += hoursLater * HOUR;
    const previous = this.#book;
    const before = this.limit;
    const given = context({
      policy: this.#policy,
      governance: this.#governance,
      decidedAt: this.#now,
    });
    const book = decideBook(
      this.#lost.has('market') && before !== null ? [] : [this.#input()],
      previous,
      given,
    );
    this.#book = book;
    const clockWentBack = previous !== null && this.#now < previous.decidedAt;
    const faults = stepFaults(before, book.markets[0], {
      policy: this.#policy,
      governance: this.#governance,
      decidedAt: book.decidedAt,
      clockWentBack,
      isInDoubt: this.#isInDoubt(book.decidedAt),
    });
    if (book.decidedAt !== Math.max(this.#now, previous?.decidedAt ?? this.#now))
      faults.push('the book has a wrong time');
    if (book.validUntil !== book.decidedAt + this.#policy.validityHours * HOUR)
      faults.push('the book has a wrong validity');
    return faults;
  }

  #isInDoubt(at: number): boolean {
    const people = this.#governance.overrides.some(
      (override) => override.mayLoosen && override.expiresAt > at,
    );
    return [...this.#lost].some((what) => what !== 'age' || !people);
  }

  #input(): MarketInput {
    const isLost = (what: Losable): boolean => this.#lost.has(what);
    const source = (name: 'shockModel' | 'historical' | 'filtered' | 'tail', ratio: number) =>
      isLost(name) ? absent(name, 'lost') : forecast(name, this.#tail * ratio);
    const asOf = Math.min(this.#now, this.#book?.decidedAt ?? this.#now);
    return largeMarket({
      asOf,
      shockModel: source('shockModel', 1),
      historical: source('historical', 0.9),
      filtered: source('filtered', 0.85),
      tail: source('tail', 0.8),
      liquidity: isLost('liquidity')
        ? null
        : { hourlyVolume: this.#volume, dailyVolatility: Math.min(this.#tail * 1.5, 5) },
      stale: isLost('freshness'),
      quality: isLost('everything') ? 'reject' : isLost('quality') ? 'degrade' : 'accept',
      historyDays: isLost('age') ? 10 : 1500,
      openInterest:
        this.#openInterest === null ? null : { quoteNotional: this.#openInterest, observedAt: asOf - HOUR },
    });
  }
}

const TAILS = [0.004, 0.01, 0.02, 0.03, 0.06, 0.15, 0.6];
const VOLUMES = [1e3, 1e5, 5e6, 5e7, 5e8, 5e10];
const JUMPS = [0, 0.1, 0.5, 0.5, 1, 1, 1, 1, 1, 1, 6, 6, 12, 12, 24, 24, 24, 100, 100, 100];
const JUMPS_BACK = [-0.1, -0.5, -5, -50];
const RATIOS = [1.1, 1.25, 1.5, 2, 4];

/** Draws what happens next: more than half are decisions. */
function randomHappening(random: Random): Happening {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random.uniform() * values.length)];
  const chance = random.uniform();
  if (chance < 0.02) return { kind: 'decide', hoursLater: pick(JUMPS_BACK) };
  if (chance < 0.6) return { kind: 'decide', hoursLater: pick(JUMPS) };
  if (chance < 0.8) {
    return {
      kind: 'market',
      tail: pick(TAILS) * (0.9 + 0.2 * random.uniform()),
      volume: pick(VOLUMES) * (0.5 + random.uniform()),
      openInterest: pick([null, null, 1e9, 6e10, 1.2e11, 3e11]),
    };
  }
  if (chance < 0.815) return { kind: 'lose', what: pick(LOSABLE) };
  if (chance < 0.9) return { kind: 'find', what: pick(LOSABLE) };
  if (chance < 0.91) return { kind: 'freeze', all: random.uniform() < 0.5, hours: pick([null, 1, 30]) };
  if (chance < 0.94) return { kind: 'thaw' };
  if (chance < 0.95) {
    return { kind: 'override', maxLeverage: pick([1, 3, 10, 60]), mayLoosen: pick([true, false]), hours: 20 };
  }
  if (chance < 0.96) return { kind: 'emergency', hours: pick([1, 30]) };
  if (chance < 0.98) return { kind: 'calm' };
  const loosenMaximumRatio = pick(RATIOS);
  const maintenanceNoticeHours = pick([0, 1, 6, 24, 48]);
  return {
    kind: 'policy',
    maximumLeverage: pick([3, 20, 100]),
    governor: {
      loosenMaximumRatio,
      tightenMaximumRatio: pick(RATIOS),
      tightenPaceHours: pick([0, 0.5, 5]),
      loosenDelayHours: pick([0, 1, 24]),
      deadBandRatio: Math.min(pick([1, 1.05, 1.2]), loosenMaximumRatio),
      maintenanceNoticeHours,
      emergencyNoticeHours: Math.min(pick([0, 1, 6]), maintenanceNoticeHours),
    },
  };
}

/** One decision of a history. */
export interface HistoryStep {
  /** Decisions count from 1. */
  readonly step: number;
  /** What it did against the rules. */
  readonly faults: readonly string[];
  readonly limit: MarketLimit | null;
}

/** What happens to a market until so many decisions are made: its number repeats a history. */
export function* randomHistory(history: number, steps: number): Generator<HistoryStep> {
  const random = new Random(`governor steps, history ${history}`);
  const market = new GovernedMarket();
  for (let step = 1; step <= steps; ) {
    const happening = randomHappening(random);
    const faults = market.happens(happening);
    if (happening.kind === 'decide') yield { step: step++, faults, limit: market.limit };
  }
}
