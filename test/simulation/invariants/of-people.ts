import { inForceKey } from '../../../src/limits/governance.ts';
import type { MarketLimit } from '../../../src/limits/types.ts';
import { hasSecondPerson } from '../ledger.ts';
import type { PublishedStep, StepInvariant } from './invariant.ts';
import { unless } from './of-books.ts';

/** What must hold of a book and of those who govern it: by what they were told, not by what the service remembers. */
export const PEOPLE_INVARIANTS: readonly StepInvariant[] = [
  {
    name: 'decisions-read-what-people-did',
    sentence:
      'A decision reads exactly the freezes, overrides and emergencies that were acknowledged and are not over.',
    faults: ({ book, inputs, ledger }) => {
      const read = inForceKey(inputs.context.governance, book.decidedAt);
      const ids = ledger
        .inForce(book.decidedAt)
        .filter(({ kind }) => kind !== 'emergency')
        .map(({ id }) => id);
      const emergency = ledger.emergencyAt(book.decidedAt);
      const known = [
        ...ids.sort(),
        ...(emergency === null ? [] : [`emergency at ${emergency.requested.at}`]),
      ].join();
      return unless(read === known, `it read [${read}], and [${known}] is in force`);
    },
  },
  {
    name: 'frozen-means-still',
    sentence: 'In a freeze neither table of a market moves, and no announcement comes or goes.',
    faults: (step) => {
      const old = new Map(step.before?.markets.map((market) => [market.symbol, market]));
      return step.book.markets.flatMap((market) => {
        const was = old.get(market.symbol);
        if (was === undefined || step.ledger.freezeOf(market.symbol, step.book.decidedAt) === null) return [];
        return unless(tablesOf(was) === tablesOf(market), `${market.symbol} moves in a freeze`);
      });
    },
  },
  {
    name: 'overrides-end',
    sentence: 'No book is under an override that is over, was taken back, or was never acknowledged.',
    faults: (step) =>
      overridden(step, (id) => {
        const known = step.ledger.override(id);
        if (known === null) return [`${id} is unknown`];
        return [
          ...unless(known.closed === null, `${id} was taken back`),
          ...unless(known.expiresAt > step.book.decidedAt, `${id} is over`),
        ];
      }),
  },
  {
    name: 'two-people-loosen',
    sentence:
      'An override that takes the place of the bounds was approved by another person with another key.',
    faults: (step) =>
      overridden(step, (id, replaces) => {
        const known = step.ledger.override(id);
        return unless(!replaces || (known !== null && hasSecondPerson(known)), `${id} has no second person`);
      }),
  },
  {
    name: 'deep-cuts-need-an-emergency',
    sentence:
      "Leverage falls in one decision by more than the policy's ratio, and beyond the next rung, only in an emergency that is in force, with its reason in the record.",
    faults: (step) => {
      const old = new Map(step.before?.markets.map((market) => [market.symbol, market]));
      const { governor, leverageLadder } = step.policy;
      const emergency = step.ledger.emergencyAt(step.book.decidedAt);
      return step.book.markets.flatMap(({ symbol, brackets, governor: record }) => {
        // What the guard carries on is as it was decided before.
        if (step.guarded?.has(symbol) === false) return [];
        const was = old.get(symbol)?.brackets[0].maxLeverage ?? 0;
        const is = brackets[0].maxLeverage;
        const nextRung = Math.max(1, ...leverageLadder.filter((rung) => rung < was));
        const isDeep = is < was / governor.tightenMaximumRatio && is < nextRung;
        const isNamed = record.emergency?.reason === emergency?.requested.reason;
        return [
          ...unless(
            !isDeep || record.emergency !== undefined,
            `${symbol} falls from ${was} to ${is} at once`,
          ),
          ...unless(
            record.emergency === undefined || (emergency !== null && isNamed),
            `${symbol} names no emergency`,
          ),
        ];
      });
    },
  },
];

function tablesOf({ brackets, maintenance, announced }: MarketLimit): string {
  return JSON.stringify([brackets, maintenance, announced]);
}

/** Asks of every market that was decided under an override. */
function overridden(
  { book, guarded }: PublishedStep,
  faults: (id: string, takesThePlaceOfTheBounds: boolean) => readonly string[],
): string[] {
  return book.markets.flatMap(({ symbol, bounds, reasons }) => {
    if (reasons.includes('MARKET_MISSING') || guarded?.has(symbol) === false) return [];
    const { id, takesThePlaceOfTheBounds } = bounds.find(({ name }) => name === 'override')?.evidence ?? {};
    if (typeof id !== 'string') return [];
    return faults(id, takesThePlaceOfTheBounds === true).map((fault) => `${symbol}: ${fault}`);
  });
}
