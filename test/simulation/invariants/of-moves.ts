import { boundMarket } from '../../../src/limits/bounds/combine.ts';
import { requirementOf } from '../../../src/limits/cut.ts';
import { isGainBeyondDeadBand } from '../../../src/limits/loosen.ts';
import { type MarketInput, usableInput } from '../../../src/limits/market-input.ts';
import { stepFaults } from '../../../src/limits/test-step-checker.ts';
import type { MarketLimit } from '../../../src/limits/types.ts';
import { HOUR_MILLISECONDS } from '../../../src/units.ts';
import type { PublishedStep, StepInvariant } from './invariant.ts';
import { areSameTables, capsOf, leverageOf, loosensAt, type MarketMemory, marginOf } from './memory.ts';
import { unless } from './of-books.ts';

/** What must hold of every market of two consecutive books. */
export const MOVE_INVARIANTS: readonly StepInvariant[] = [
  {
    name: 'the-governor-keeps-its-rules',
    sentence:
      'Every step of a market obeys the rules of the governor, as a judge states them who shares no code with it.',
    faults: (step) =>
      everyDecided(step, ({ before, after, input }) =>
        stepFaults(before, after, {
          ...{
            policy: step.policy,
            governance: step.inputs.context.governance,
            decidedAt: step.book.decidedAt,
          },
          clockWentBack: clockWentBack(step),
          isInDoubt: isInDoubt(after, input, step),
        }),
      ),
  },
  {
    name: 'loosening-waits',
    sentence: 'Nothing loosens before the minimum delay after the last change that was published.',
    faults: (step) =>
      everyLoosened(step, ({ memory }) => {
        const hours = (step.book.decidedAt - (memory?.changedAt ?? 0)) / HOUR_MILLISECONDS;
        const least = step.policy.governor.loosenDelayHours;
        return unless(hours >= least, `it loosens ${hours} hours after its last change`);
      }),
  },
  {
    name: 'loosening-is-one-step',
    sentence: "One loosening raises leverage by the policy's step or to the next rung, at every notional.",
    faults: (step) =>
      everyLoosened(step, ({ before, after }) => {
        const { governor, leverageLadder } = step.policy;
        return capsOf(before.brackets, after.brackets).flatMap((notional) => {
          const [was, is] = [leverageOf(before.brackets, notional), leverageOf(after.brackets, notional)];
          const nextRung = Math.min(...leverageLadder.filter((rung) => rung > was));
          const most = Math.max(was * governor.loosenMaximumRatio, nextRung);
          return unless(is <= most, `leverage at ${notional} rises from ${was} to ${is}`);
        });
      }),
  },
  {
    name: 'nothing-loosens-in-doubt',
    sentence:
      'Nothing loosens on old, degraded or missing data, without a shock model, with prices out of bounds, or with a clock that went back.',
    faults: (step) =>
      everyLoosened(step, ({ after, input }) => [
        ...unless(!isInDoubt(after, input, step), 'it loosens in doubt'),
        ...unless(!isOldByTheSource(after.symbol, step), 'it loosens on old data'),
        ...unless(!clockWentBack(step), 'it loosens with a clock that went back'),
      ]),
  },
  {
    name: 'the-dead-band-is-kept',
    sentence:
      'A loosening is made only where the gain would still be there with margins higher by the dead band.',
    faults: (step) => everyLoosened(step, (one) => deadBandFaults(one, step)),
  },
  {
    name: 'notice-is-given',
    sentence:
      'Positions are asked for more only after a table that asks for as much was announced with its notice and its time has come; and no notice is shorter than promised.',
    faults: (step) => everyDecided(step, (one) => noticeFaults(one, step)),
  },
  {
    name: 'the-guard-leaves-others-alone',
    sentence: 'A decision of the guard changes nothing of the markets that it is not about.',
    faults: ({ before, book, guarded }) => {
      if (guarded === null) return [];
      const old = new Map(before?.markets.map((market) => [market.symbol, JSON.stringify(market)]));
      return book.markets
        .filter((market) => !guarded.has(market.symbol) && old.get(market.symbol) !== JSON.stringify(market))
        .map(({ symbol }) => `${symbol} is changed by a decision about others`);
    },
  },
  {
    name: 'the-lowest-bound-binds',
    sentence:
      'Every market says why: the first reason names what binds, a cap that binds is the lowest of all that count, and none of them is below what is granted without the governor saying so.',
    faults: (step) => everyDecided(step, ({ after }) => bindingFaults(after)),
  },
];

interface Moved {
  readonly before: MarketLimit | null;
  readonly after: MarketLimit;
  readonly input: MarketInput | undefined;
  readonly memory: MarketMemory | undefined;
}

/** Asks of every market that the book decided. */
function everyDecided(step: PublishedStep, faults: (moved: Moved) => readonly string[]): string[] {
  const old = new Map(step.before?.markets.map((market) => [market.symbol, market]));
  const inputs = new Map(step.inputs.markets.map((input) => [input.symbol, input]));
  return step.book.markets
    .filter(({ symbol }) => step.guarded === null || step.guarded.has(symbol))
    .flatMap((after) => {
      const { symbol } = after;
      const moved = { before: old.get(symbol) ?? null, after, input: inputs.get(symbol) };
      return faults({ ...moved, memory: step.memory.get(symbol) }).map((fault) => `${symbol}: ${fault}`);
    });
}

/** Asks of every market whose new orders are granted more somewhere. */
function everyLoosened(
  step: PublishedStep,
  faults: (moved: Moved & { readonly before: MarketLimit }) => readonly string[],
): string[] {
  return everyDecided(step, (moved) => {
    const { before, after } = moved;
    if (before === null || loosensAt(before.brackets, after.brackets) === null) return [];
    return faults({ ...moved, before });
  });
}

export function clockWentBack({ before, inputs }: PublishedStep): boolean {
  return before !== null && inputs.context.decidedAt < before.decidedAt;
}

/** By what the decision read. */
function isInDoubt(after: MarketLimit, input: MarketInput | undefined, step: PublishedStep): boolean {
  if (input === undefined) return true;
  const { shockModel, historical, filtered, tail, liquidity, quality, stale } = input;
  const sources = [shockModel, historical, filtered, tail];
  const { overrides } = step.inputs.context.governance;
  const isDecidedByPeople = overrides.some(
    (one) =>
      one.symbol === after.symbol &&
      one.mayLoosen &&
      one.approvedBy !== null &&
      one.expiresAt > step.book.decidedAt,
  );
  return (
    stale ||
    quality !== 'accept' ||
    liquidity === null ||
    sources.some(
      ({ unavailable, valueAtRisk }) => unavailable !== '' || !valueAtRisk.every(Number.isFinite),
    ) ||
    after.boundState?.intrabar !== undefined ||
    (input.historyDays < step.policy.youngListingDays && !isDecidedByPeople)
  );
}

/** By what the source has, whatever the decision read. */
function isOldByTheSource(symbol: string, { knownCloses, book, policy }: PublishedStep): boolean {
  const newest = knownCloses.get(symbol) ?? null;
  return newest === null || book.decidedAt - newest > policy.staleAfterHours * HOUR_MILLISECONDS;
}

/** From the stored inputs: what the bounds allowed is made again, and the rule of the dead band is asked about it alone. */
function deadBandFaults(
  { before, input }: Moved & { readonly before: MarketLimit },
  { policy, inputs, book }: PublishedStep,
): string[] {
  if (input === undefined) return [];
  const context = { ...inputs.context, decidedAt: book.decidedAt };
  const bounded = boundMarket(usableInput(input, inputs.context.axes), context, before.boundState);
  const requirement = bounded === null ? null : requirementOf(bounded.target, policy);
  if (bounded === null || requirement === null) return ['it loosens where nothing is allowed'];
  const isGain = isGainBeyondDeadBand(bounded.target, requirement, before.brackets, policy);
  return unless(isGain, 'it loosens within the dead band');
}

function noticeFaults({ before, after, memory }: Moved, { book, inputs, policy }: PublishedStep): string[] {
  if (before === null) return [];
  const { decidedAt } = book;
  const { maintenanceNoticeHours, emergencyNoticeHours } = policy.governor;
  const { emergency } = inputs.context.governance;
  const isEmergency = emergency !== null && emergency.expiresAt > decidedAt;
  const known = memory?.told ?? [];
  const fresh = (after.announced ?? []).map((announcement) => ({
    since: decidedAt,
    isEmergency,
    announcement,
  }));
  /** Whether positions of a size were told in time that they will be asked for so much. */
  const wasTold = (notional: number, margin: number, at: number): boolean =>
    [...known, ...fresh].some(({ since, isEmergency: isShort, announcement }) => {
      const hours = isShort ? emergencyNoticeHours : maintenanceNoticeHours;
      const { effectiveAt, brackets } = announcement;
      const isInTime = effectiveAt <= at && since + hours * HOUR_MILLISECONDS <= at;
      return isInTime && marginOf(brackets, notional) >= margin;
    });
  const [was, is] = [before.maintenance ?? before.brackets, after.maintenance ?? after.brackets];
  const raised = capsOf(was, is).filter((notional) => marginOf(is, notional) > marginOf(was, notional));
  const surprised = raised.find((notional) => !wasTold(notional, marginOf(is, notional), decidedAt));
  const short = (after.announced ?? []).find(({ brackets, effectiveAt }) =>
    capsOf(brackets).some((notional) => {
      const margin = marginOf(brackets, notional);
      return margin > marginOf(is, notional) && !wasTold(notional, margin, effectiveAt);
    }),
  );
  const isBoth = !areSameTables(was, is) && raised.length > 0;
  return [
    ...unless(surprised === undefined, `positions of ${surprised} are asked for more without notice`),
    ...unless(short === undefined, `the notice until ${short?.effectiveAt} is too short`),
    ...unless(
      !isBoth || after.reasons.includes('MAINTENANCE_RAISED'),
      'positions are raised without a reason',
    ),
  ];
}

const FIRST_REASONS: Readonly<Record<string, string>> = {
  stress: 'STRESS_FLOOR_HOLDS',
  governor: 'GOVERNOR_HOLDS',
};
/** Caps on leverage as such, and what raises the initial margin alone. */
const CAPS = [
  'crowding',
  'marketWide',
  'intrabar',
  'liquidity',
  'listingAge',
  'dataQuality',
  'policyCeiling',
  'override',
];
/** Those that stay where two people took the place of the bounds. */
const KEPT_CAPS = ['dataQuality', 'policyCeiling', 'override'];

function bindingFaults({ bindingBound, bounds, reasons, governor }: MarketLimit): string[] {
  if (reasons.includes('MARKET_MISSING')) return [];
  const snake = bindingBound.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  const faults = unless(
    reasons[0] === (FIRST_REASONS[bindingBound] ?? `${snake}_BINDS`),
    `${bindingBound} binds, and the first reason is ${reasons[0]}`,
  );
  if (bindingBound === 'governor')
    return [
      ...faults,
      ...unless(governor.publishedMaxLeverage < governor.targetMaxLeverage, 'the governor holds nothing'),
    ];
  if (reasons.includes('DATA_REJECTED'))
    return [...faults, ...unless(bindingBound === 'dataQuality', 'rejected data bind not')];
  const leverageBy = (name: string): number =>
    bounds.find((bound) => bound.name === name && bound.available)?.maxLeverage ?? Number.POSITIVE_INFINITY;
  const isReplaced =
    bounds.some(({ evidence }) => evidence.takesThePlaceOfTheBounds === true) && bindingBound === 'override';
  const caps = (isReplaced ? KEPT_CAPS : CAPS).map((name) => ({ name, leverage: leverageBy(name) }));
  const lowest = Math.min(...caps.map(({ leverage }) => leverage));
  if (CAPS.includes(bindingBound))
    faults.push(
      ...unless(leverageBy(bindingBound) <= lowest, `${bindingBound} binds and is not the lowest bound`),
    );
  if (
    CAPS.includes(bindingBound) &&
    !bounds.some(({ evidence }) => evidence.takesThePlaceOfTheBounds === true)
  ) {
    const classical = Math.min(leverageBy('historical'), leverageBy('filtered'));
    faults.push(
      ...unless(
        leverageBy(bindingBound) <= classical,
        `${bindingBound} binds above a classical bound of ${classical}`,
      ),
    );
  }
  const holdsBack = governor.paced === true || governor.frozen !== undefined;
  const keptLowest = Math.min(...KEPT_CAPS.map(leverageBy));
  faults.push(
    ...unless(
      governor.targetMaxLeverage <= Math.max(1, keptLowest),
      `the target is above a cap of ${keptLowest}`,
    ),
    ...unless(
      governor.publishedMaxLeverage <= governor.targetMaxLeverage || holdsBack,
      'it grants more than its bounds, and nobody says why',
    ),
  );
  return faults;
}
