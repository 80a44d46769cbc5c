import type { Intervention } from '../../accounts/interventions/intervention.ts';
import { interventionShape } from '../../accounts/interventions/intervention-shape.ts';
import { isoTime } from '../../clock.ts';
import { maintenanceOf } from '../../limits/brackets.ts';
import { activityShape, maintenanceShape, scheduleShape } from '../../limits/shapes.ts';
import type { LimitBook, MarketLimit } from '../../limits/types.ts';
import type { Change } from '../governance/change.ts';
import { changeShape } from '../governance/change-shape.ts';
import type { UserPolicy } from '../ports.ts';
import { userShape } from '../user-shape.ts';

/** What is pushed. A reader that meets a kind which it does not know leaves it out. */
export const FEED_KINDS = ['limits', 'intervention', 'governance', 'user'] as const;
export type FeedKind = (typeof FEED_KINDS)[number];

export interface FeedDraft {
  readonly kind: FeedKind;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Sequence of the intervention that it tells; null for anything else. */
  readonly intervention: number | null;
  /** JSON without a line break: what is sent. */
  readonly body: string;
}

export interface FeedEvent extends Pick<FeedDraft, 'kind' | 'body'> {
  /** 1, 2, 3, … without gaps, over all kinds. */
  readonly sequence: number;
}

/**
 * A book is in force: the markets whose tables are others than before, whole; and of the other ones how much is held and traded,
 * where that is another amount.
 */
export function limitsEvent(book: LimitBook, previous: LimitBook | null): FeedDraft {
  const before = new Map(previous?.markets.map((market) => [market.symbol, market]));
  const now = new Set(book.markets.map(({ symbol }) => symbol));
  const changed = book.markets.filter((market) => !holdsToTheSame(before.get(market.symbol), market));
  const isChanged = new Set(changed);
  const active = book.markets.filter(
    (market) => !isChanged.has(market) && !isAsActive(before.get(market.symbol), market),
  );
  return {
    kind: 'limits',
    at: book.decidedAt,
    intervention: null,
    body: JSON.stringify({
      version: book.version,
      hash: book.hash,
      previousHash: book.previousHash,
      decidedAt: isoTime(book.decidedAt),
      effectiveAt: isoTime(book.effectiveAt),
      validUntil: isoTime(book.validUntil),
      degraded: book.degraded,
      simulated: book.simulated,
      total: book.markets.length,
      changed: changed.map(pushedMarket),
      activity: active.map((market) => ({ symbol: market.symbol, ...activityShape(market) })),
      removed: [...before.keys()].filter((symbol) => !now.has(symbol)),
    }),
  };
}

export function interventionEvent(one: Intervention): FeedDraft {
  return {
    kind: 'intervention',
    at: one.at,
    intervention: one.sequence,
    body: JSON.stringify(interventionShape(one)),
  };
}

/** People did something: the change that they made or altered, and those that it ended. */
export function governanceEvent(changes: readonly Change[], revision: number, at: number): FeedDraft {
  const told = changes.map((change) => changeShape(change, at));
  return { kind: 'governance', at, intervention: null, body: JSON.stringify({ revision, changes: told }) };
}

/** The policy of a user, whole. */
export function userEvent(policy: UserPolicy): FeedDraft {
  return {
    kind: 'user',
    at: policy.updatedAt,
    intervention: null,
    body: JSON.stringify(userShape(policy)),
  };
}

/** What a reader must know of a market to answer from its own memory. */
export function pushedMarket(market: MarketLimit) {
  return {
    symbol: market.symbol,
    maxLeverage: market.brackets[0].maxLeverage,
    bindingBound: market.bindingBound,
    reasons: market.reasons,
    brackets: scheduleShape(market.brackets),
    ...maintenanceShape(market),
    ...activityShape(market),
  };
}

/** Tables are values: those that are carried on are the same objects, and those read back are equal. */
function holdsToTheSame(before: MarketLimit | undefined, after: MarketLimit): boolean {
  if (before === undefined) return false;
  if (before === after) return true;
  return tablesOf(before) === tablesOf(after);
}

function isAsActive(before: MarketLimit | undefined, after: MarketLimit): boolean {
  if (before === undefined) return false;
  if (before === after) return true;
  const [then, now] = [activityShape(before), activityShape(after)];
  return then.openInterest === now.openInterest && then.dailyVolume === now.dailyVolume;
}

function tablesOf(market: MarketLimit): string {
  return JSON.stringify([market.brackets, maintenanceOf(market), market.announced ?? []]);
}
