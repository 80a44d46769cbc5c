import { assetClassOf } from '../../../src/limits/bounds/asset-class.ts';
import { bookHashHolds, GENESIS_HASH } from '../../../src/limits/chain.ts';
import { policyHash } from '../../../src/limits/policy.ts';
import type { Bracket, MarketLimit } from '../../../src/limits/types.ts';
import { HOUR_MILLISECONDS } from '../../../src/units.ts';
import type { PublishedStep, StepInvariant } from './invariant.ts';
import { capsOf, marginOf } from './memory.ts';

/** What must hold of every published book, whatever was before it. */
export const BOOK_INVARIANTS: readonly StepInvariant[] = [
  {
    name: 'versions-follow',
    sentence:
      'Each book has the next version, names the hash of the one before, and has the hash of its own content.',
    faults: ({ before, book }) => [
      ...unless(
        book.version === (before?.version ?? 0) + 1,
        `book ${book.version} follows ${before?.version ?? 0}`,
      ),
      ...unless(
        book.previousHash === (before?.hash ?? GENESIS_HASH),
        'it names another book as the one before',
      ),
      ...unless(bookHashHolds(book), 'its hash is not that of its content'),
    ],
  },
  {
    name: 'the-policy-is-named',
    sentence: 'A book carries the hash of the policy that it was decided under.',
    faults: ({ book, policy }) => unless(book.policyHash === policyHash(policy), 'it names another policy'),
  },
  {
    name: 'time-goes-on',
    sentence: 'No book is older than the one before, and none comes into force before it is decided.',
    faults: ({ before, book }) => [
      ...unless(book.decidedAt >= (before?.decidedAt ?? 0), 'it is older than the one before'),
      ...unless(book.effectiveAt >= book.decidedAt, 'it is in force before it is decided'),
    ],
  },
  {
    name: 'validity-is-honest',
    sentence:
      'A decision about all markets is valid for the hours of the policy; one of the guard renews nothing.',
    faults: ({ before, book, guarded, policy }) => {
      const whole = book.decidedAt + policy.validityHours * HOUR_MILLISECONDS;
      const expected = guarded === null ? whole : before?.validUntil;
      return unless(book.validUntil === expected, `it is valid until ${book.validUntil}, not ${expected}`);
    },
  },
  {
    name: 'no-market-gets-lost',
    sentence: 'A book has every market once, in order, and every market of the book before.',
    faults: ({ before, book }) => {
      const symbols = book.markets.map(({ symbol }) => symbol);
      const isInOrder = symbols.every((symbol, i) => i === 0 || symbol > symbols[i - 1]);
      const lost = (before?.markets ?? []).filter(({ symbol }) => !symbols.includes(symbol));
      return [
        ...unless(isInOrder, 'its markets are not in order'),
        ...lost.map(({ symbol }) => `${symbol} is gone`),
      ];
    },
  },
  {
    name: 'numbers-are-numbers',
    sentence: 'No NaN and no infinity is anywhere in a book.',
    faults: ({ book }) => impossibleNumbers(book, 'book'),
  },
  {
    name: 'brackets-are-sound',
    sentence:
      'Brackets begin at 0 and join, leverage falls and the maintenance rate rises, the margin is continuous, the rate is at most 0.75 of the initial one, and the last bracket is of 1x.',
    faults: each(({ brackets }) => scheduleFaultsOf(brackets)),
  },
  {
    name: 'positions-are-asked-no-more-than-orders',
    sentence: 'No table of open positions, now or announced, asks for more than new orders are asked for.',
    faults: each(({ brackets, maintenance = brackets, announced = [] }) => {
      const last = brackets[brackets.length - 1].notionalCap;
      return [maintenance, ...announced.map((one) => one.brackets)].flatMap((table) => {
        const dear = capsOf(table, brackets).find(
          (n) => n <= last && marginOf(table, n) > marginOf(brackets, n),
        );
        return unless(dear === undefined, `positions of ${dear} are asked for more than new orders`);
      });
    }),
  },
  {
    name: 'leverage-is-on-the-ladder',
    sentence:
      "Every leverage is a rung of the policy's ladder and not above the ceiling of the market's class.",
    faults: (step) =>
      each(({ symbol, brackets, governor }) => {
        const { leverageLadder, maximumLeverage } = step.policy;
        const ceiling = Math.min(maximumLeverage, assetClassOf(symbol, step.policy).maximumLeverage);
        return [
          ...unless(brackets[0].maxLeverage <= ceiling, `${brackets[0].maxLeverage}x is above ${ceiling}x`),
          ...unless(
            brackets.every((one) => leverageLadder.includes(one.maxLeverage)),
            'a leverage is no rung',
          ),
          ...unless(
            governor.publishedMaxLeverage === brackets[0].maxLeverage,
            'the record names another leverage',
          ),
        ];
      })(step),
  },
  {
    name: 'degraded-is-said',
    sentence:
      'A book is degraded exactly when it says why: a market with old, missing or rejected data, or no shock model. A market whose newest bar is older than the policy allows, by the clock of the decision, says so.',
    faults: degradedFaults,
  },
  {
    name: 'data-are-as-new-as-told',
    sentence: 'A market that was decided rests on the newest bar that can be believed, and names its close.',
    faults: ({ book, guarded, newestCloses, knownCloses }) =>
      guarded !== null
        ? []
        : book.markets.flatMap(({ symbol, asOf, reasons }) => {
            const [newest, known] = [newestCloses.get(symbol) ?? null, knownCloses.get(symbol) ?? null];
            if (newest === null || known === null || reasons.includes('MARKET_MISSING')) return [];
            return unless(
              newest <= asOf && asOf <= known,
              `${symbol} rests on ${asOf}, and ${newest} is known`,
            );
          }),
  },
];

function degradedFaults({ book, inputs, guarded, knownCloses, policy }: PublishedStep): string[] {
  const why = ['DATA_STALE', 'DATA_REJECTED', 'MARKET_MISSING'] as const;
  const isDegraded =
    book.model === null || book.markets.some(({ reasons }) => why.some((one) => reasons.includes(one)));
  const silent =
    guarded !== null
      ? []
      : book.markets.filter(({ symbol, reasons }) => {
          const newest = knownCloses.get(symbol) ?? null;
          const isOld =
            newest !== null && inputs.context.decidedAt - newest > policy.staleAfterHours * HOUR_MILLISECONDS;
          const isGone = newest === null;
          return (
            (isOld && !reasons.includes('DATA_STALE')) || (isGone && !reasons.includes('MARKET_MISSING'))
          );
        });
  return [
    ...unless(book.degraded === isDegraded, `degraded is ${book.degraded}`),
    ...unless(!book.degraded || book.reasons.length > 0, 'it is degraded and says nothing'),
    ...silent.map(({ symbol }) => `${symbol} has old data or none, and does not say so`),
  ];
}

function scheduleFaultsOf(brackets: readonly Bracket[]): string[] {
  const faults = unless(brackets.length > 0, 'there is no bracket');
  for (const [i, bracket] of brackets.entries()) {
    const previous = brackets[i - 1];
    const { notionalFloor, notionalCap, maxLeverage, initialMarginRatePpm, maintenanceMarginRatePpm } =
      bracket;
    faults.push(
      ...unless(bracket.bracket === i + 1, `bracket ${i + 1} has the number ${bracket.bracket}`),
      ...unless(notionalFloor === (previous?.notionalCap ?? 0), `bracket ${i + 1} does not join`),
      ...unless(notionalCap > notionalFloor, `bracket ${i + 1} is empty`),
      ...unless(
        previous === undefined || maxLeverage < previous.maxLeverage,
        `leverage does not fall in ${i + 1}`,
      ),
      ...unless(
        maintenanceMarginRatePpm > (previous?.maintenanceMarginRatePpm ?? 0),
        `the maintenance rate does not rise in ${i + 1}`,
      ),
      ...unless(
        maintenanceMarginRatePpm * maxLeverage <= 750_000,
        `the maintenance rate of ${i + 1} is too high`,
      ),
      ...unless(
        initialMarginRatePpm === Math.ceil(1e6 / maxLeverage),
        `the initial rate of ${i + 1} is wrong`,
      ),
    );
    const amount =
      previous === undefined
        ? 0
        : previous.maintenanceAmountMicros +
          notionalFloor * (maintenanceMarginRatePpm - previous.maintenanceMarginRatePpm);
    faults.push(...unless(bracket.maintenanceAmountMicros === amount, `the margin jumps before ${i + 1}`));
  }
  faults.push(...unless(brackets.at(-1)?.maxLeverage === 1, 'the last bracket is not of 1x'));
  return faults;
}

/** Paths of numbers that are none, and of what is undefined. */
function impossibleNumbers(value: unknown, path: string): string[] {
  if (isWhole(value)) return [];
  if (typeof value !== 'object' || value === null) return [`${path} is ${String(value)}`];
  return Object.entries(value).flatMap(([name, one]) => impossibleNumbers(one, `${path}.${name}`));
}

function isWhole(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return value !== undefined;
  for (const name in value) if (!isWhole((value as Record<string, unknown>)[name])) return false;
  return true;
}

export function unless(holds: boolean, fault: string): string[] {
  return holds ? [] : [fault];
}

/** Asks the same of every market of a book. */
export function each(faults: (market: MarketLimit) => readonly string[]): StepInvariant['faults'] {
  return ({ book }) =>
    book.markets.flatMap((market) => faults(market).map((fault) => `${market.symbol}: ${fault}`));
}
