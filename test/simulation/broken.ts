import type { Change } from '../../src/control/ports.ts';
import type { LimitBook, MarketLimit } from '../../src/limits/types.ts';
import type { PublishedStep } from './invariants/invariant.ts';
import type { ServiceView } from './invariants/of-service.ts';
import { Ledger } from './ledger.ts';

const HOUR = 3_600_000;

/** Makes one thing wrong; null where this step has nothing that could be. */
type Break<Seen> = (seen: Seen) => Seen | null;

/** For each invariant of books a way to break it, by its name. */
export const BROKEN_STEPS: Readonly<Record<string, Break<PublishedStep>>> = {
  'versions-follow': (step) => withBook(step, { version: step.book.version + 1 }),
  'the-policy-is-named': (step) => withBook(step, { policyHash: 'f'.repeat(64) }),
  'time-goes-on': (step) => withBook(step, { decidedAt: (step.before?.decidedAt ?? 0) - 1 }),
  'validity-is-honest': (step) => withBook(step, { validUntil: step.book.validUntil + HOUR }),
  'no-market-gets-lost': (step) =>
    step.before === null ? null : withBook(step, { markets: step.book.markets.slice(1) }),
  'numbers-are-numbers': (step) =>
    withMarket(step, ({ forecasts }) =>
      forecasts.length === 0
        ? null
        : { forecasts: [{ ...forecasts[0], valueAtRisk: Number.NaN }, ...forecasts.slice(1)] },
    ),
  'brackets-are-sound': (step) =>
    withMarket(step, ({ brackets: [first, ...rest] }) => ({
      brackets: [{ ...first, maintenanceMarginRatePpm: first.maintenanceMarginRatePpm + 1 }, ...rest],
    })),
  'positions-are-asked-no-more-than-orders': (step) =>
    withMarket(step, ({ brackets }) => ({ maintenance: harsher(brackets, 2) })),
  'leverage-is-on-the-ladder': (step) =>
    withMarket(step, ({ brackets }) => ({ brackets: withTop(brackets, 7) })),
  'degraded-is-said': (step) => withBook(step, { degraded: !step.book.degraded }),
  'data-are-as-new-as-told': (step) =>
    step.guarded !== null ? null : withMarket(step, ({ asOf }) => ({ asOf: asOf - HOUR })),
  'the-governor-keeps-its-rules': (step) =>
    isOfAll(step) ? withMarket(step, ({ governor }) => ({ governor: { ...governor, changedAt: 1 } })) : null,
  'loosening-waits': (step) => (hasChanged(step, 20) ? loosened(step, 1.25) : null),
  'loosening-is-one-step': (step) => loosened(step, 5),
  'nothing-loosens-in-doubt': (step) => {
    const worse = loosened(step, 2);
    if (worse === null) return null;
    const markets = worse.inputs.markets.map((input) => ({ ...input, stale: true }));
    return { ...worse, inputs: { ...worse.inputs, markets } };
  },
  // What the bounds allow came down since: an hour before it was not worth a loosening.
  'the-dead-band-is-kept': (step) => loosened(step, 1.25),
  'notice-is-given': (step) =>
    isOfAll(step)
      ? withMarket(step, ({ brackets, maintenance = brackets }) => ({
          maintenance: harsher(maintenance, 1.5),
        }))
      : null,
  'the-guard-leaves-others-alone': (step) =>
    step.guarded === null || step.guarded.has(step.book.markets[0].symbol)
      ? null
      : withMarket(step, ({ asOf }) => ({ asOf: asOf + HOUR })),
  'the-lowest-bound-binds': (step) =>
    isOfAll(step)
      ? withMarket(step, ({ bindingBound, reasons: [, ...rest] }) =>
          bindingBound === 'liquidity'
            ? null
            : { bindingBound: 'liquidity', reasons: ['LIQUIDITY_BINDS', ...rest] },
        )
      : null,
  'decisions-read-what-people-did': (step) => ({ ...step, ledger: ledgerWith(freezeAt(step)) }),
  'frozen-means-still': (step) =>
    step.book.markets.some(({ governor }) => governor.move === 'tighten')
      ? { ...step, ledger: ledgerWith(freezeAt(step)) }
      : null,
  'overrides-end': (step) =>
    isOfAll(step)
      ? { ...underOverride(step, false), ledger: ledgerWith({ ...overrideAt(step), expiresAt: 1 }) }
      : null,
  'two-people-loosen': (step) =>
    isOfAll(step) ? { ...underOverride(step, true), ledger: ledgerWith(overrideAt(step)) } : null,
  'deep-cuts-need-an-emergency': (step) => {
    const was = step.before?.markets.find(({ symbol }) => symbol === step.book.markets[0].symbol);
    if ((was?.brackets[0].maxLeverage ?? 0) < 4) return null;
    return withMarket(step, ({ brackets }) => ({ brackets: [brackets[brackets.length - 1]] }));
  },
};

/** The same for the service. */
export const BROKEN_VIEWS: Readonly<Record<string, Break<ServiceView>>> = {
  'nothing-acknowledged-is-lost': (view) => ({
    ...view,
    kept: [...view.kept, { what: 'the policy of user-1', acknowledged: '{"maxLeverage":5}', found: 'null' }],
  }),
  'the-audit-only-grows': (view) => ({
    ...view,
    audit: { ...view.audit, length: view.audit.lengthBefore - 1 },
  }),
  'readers-get-everything-once': (view) => ({ ...view, metByReaders: ['event 7 after 5'] }),
  'steps-are-done-once': (view) => ({ ...view, metByPeople: ['it was done twice'] }),
  'status-is-honest': (view) => (view.book === null ? null : { ...view, now: view.book.validUntil + 1 }),
  'decisions-go-on': (view) => (view.wasHealthy ? { ...view, now: view.now + 2 * HOUR } : null),
  'what-people-did-is-in-force': (view) =>
    view.wasHealthy && view.governed !== null
      ? { ...view, governed: { ...view.governed, now: `${view.governed.read},freeze-9` } }
      : null,
  'replay-is-equal': (view) => ({ ...view, replayed: { version: 3, difference: 'brackets.0.maxLeverage' } }),
  'the-store-verifies': (view) => ({
    ...view,
    verified: ['book 3: its hash is not the hash of its content'],
  }),
};

function withBook(step: PublishedStep, changes: Partial<LimitBook>): PublishedStep {
  return { ...step, book: { ...step.book, ...changes } };
}

/** Changes the first market. */
function withMarket(
  step: PublishedStep,
  change: (market: MarketLimit) => Partial<MarketLimit> | null,
): PublishedStep | null {
  const [first, ...rest] = step.book.markets;
  const changes = change(first);
  return changes === null ? null : withBook(step, { markets: [{ ...first, ...changes }, ...rest] });
}

function withTop(brackets: MarketLimit['brackets'], maxLeverage: number): MarketLimit['brackets'] {
  return [{ ...brackets[0], maxLeverage }, ...brackets.slice(1)];
}

function harsher(brackets: MarketLimit['brackets'], ratio: number): MarketLimit['brackets'] {
  return brackets.map((one) => ({
    ...one,
    maintenanceMarginRatePpm: Math.ceil(one.maintenanceMarginRatePpm * ratio),
    maintenanceAmountMicros: Math.floor(one.maintenanceAmountMicros * ratio),
  }));
}

/** The first market with more leverage than before. */
function loosened(step: PublishedStep, ratio: number): PublishedStep | null {
  const was = step.before?.markets.find(({ symbol }) => symbol === step.book.markets[0].symbol);
  if (was === undefined || !isOfAll(step)) return null;
  return withMarket(step, () => ({
    brackets: withTop(was.brackets, Math.ceil(was.brackets[0].maxLeverage * ratio + 1)),
  }));
}

function isOfAll({ before, guarded }: PublishedStep): boolean {
  return before !== null && guarded === null;
}

/** Whether the first market changed within so many hours before. */
function hasChanged({ memory, book }: PublishedStep, hours: number): boolean {
  const changedAt = memory.get(book.markets[0].symbol)?.changedAt ?? 0;
  return book.decidedAt - changedAt < hours * HOUR;
}

function ledgerWith(change: Change): Ledger {
  const ledger = new Ledger();
  ledger.changes.set(change.number, change);
  return ledger;
}

function changeAt(step: PublishedStep): Omit<Change, 'id' | 'kind'> {
  const requested = { by: 'ann', key: 'aaaa', at: step.book.decidedAt - HOUR, reason: 'a test' };
  return {
    ...{ number: 999, symbol: null, maxLeverage: null, mayLoosen: false, requested, approved: null },
    ...{ approveBefore: null, expiresAt: step.book.decidedAt + HOUR, closed: null },
  };
}

function freezeAt(step: PublishedStep): Change {
  return { ...changeAt(step), id: 'freeze-999', kind: 'freeze' };
}

/** One that nobody else has approved: who asked for it did so twice. */
function overrideAt(step: PublishedStep): Change {
  const change = changeAt(step);
  return { ...change, id: 'override-999', kind: 'override', mayLoosen: true, approved: change.requested };
}

function underOverride(step: PublishedStep, takesThePlaceOfTheBounds: boolean): PublishedStep {
  const evidence = { id: 'override-999', takesThePlaceOfTheBounds };
  const markets = step.book.markets.map((market) => ({
    ...market,
    bounds: market.bounds.map((bound) => (bound.name === 'override' ? { ...bound, evidence } : bound)),
  }));
  return withBook(step, { markets });
}
