import { beforeAll, describe, expect, test } from 'vitest';
import type { Proposal } from '../../src/control/decision-cycle.ts';
import { sealBook } from '../../src/limits/chain.ts';
import { NO_GOVERNANCE } from '../../src/limits/governance.ts';
import { DEFAULT_POLICY } from '../../src/limits/policy.ts';
import { leverageToMarginPpmUp } from '../../src/units.ts';
import { BROKEN_STEPS, BROKEN_VIEWS } from './broken.ts';
import { STEP_INVARIANTS } from './checks.ts';
import { EXCEEDANCE_INVARIANT } from './exceedances.ts';
import type { Invariant, PublishedStep } from './invariants/invariant.ts';
import { SERVICE_INVARIANTS, type ServiceView } from './invariants/of-service.ts';
import type { SimulatedService } from './service.ts';
import { type SimulationOptions, simulate } from './year.ts';

describe('every invariant', () => {
  const steps: PublishedStep[] = [];
  const views: ServiceView[] = [];
  beforeAll(async () => {
    const { violations } = await simulate({
      ...{ seed: 11, days: 5 },
      onStep: (step) => steps.push(step),
      onView: (view) => views.push(view),
    });
    expect(violations).toEqual([]);
  });

  test('has a name of its own, a sentence, and something here that breaks it', () => {
    const all = [...STEP_INVARIANTS, ...SERVICE_INVARIANTS, EXCEEDANCE_INVARIANT];
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const { sentence } of all) expect(sentence).toMatch(/^[A-Z].{30,}\.$/);
    expect(STEP_INVARIANTS.map(({ name }) => name).sort()).toEqual(Object.keys(BROKEN_STEPS).sort());
    expect(SERVICE_INVARIANTS.map(({ name }) => name).sort()).toEqual(Object.keys(BROKEN_VIEWS).sort());
  });

  test.each(STEP_INVARIANTS)('$name holds of what was published, and tells when it does not', (invariant) => {
    expect(tellsOf(invariant, steps, BROKEN_STEPS[invariant.name])).toBe(true);
  });

  test.each(SERVICE_INVARIANTS)('$name holds of the service, and tells when it does not', (invariant) => {
    expect(tellsOf(invariant, views, BROKEN_VIEWS[invariant.name])).toBe(true);
  });

  test('of exceedances tells of forecasts, of margins, and of neither while there are few', () => {
    const faultsOf = (ofForecasts: number, ofMargins: number, observations = 100_000) =>
      EXCEEDANCE_INVARIANT.faults({ observations, ofForecasts, ofMargins }).length;
    expect(faultsOf(1000, 100)).toBe(0);
    expect(faultsOf(9000, 100)).toBe(1);
    expect(faultsOf(1000, 9000)).toBe(1);
    expect(faultsOf(50, 50, 100)).toBe(0);
  });
});

/** Whether it tells of something that was broken, where it had nothing to say before. */
function tellsOf<Seen>(
  { faults }: Invariant<Seen>,
  seen: readonly Seen[],
  broken: (seen: Seen) => Seen | null,
): boolean {
  return seen.some((one) => {
    const worse = broken(one);
    return worse !== null && faults(one).length === 0 && faults(worse).length > 0;
  });
}

describe('a system that is made worse is caught', () => {
  test('when its governor loosens twice in one decision', async () => {
    expect(await caught({ sabotage: loosenTwice })).toContain('loosening-is-one-step');
  });

  test('when its decisions do not read what people did', async () => {
    const sabotageService = ({ worker }: SimulatedService): void => {
      const honest = worker.propose.bind(worker);
      worker.propose = (previous, now, _, ...rest) => honest(previous, now, NO_GOVERNANCE, ...rest);
    };
    expect(await caught({ sabotageService })).toContain('what-people-did-is-in-force');
  });

  test('when its store acknowledges user policies and forgets them', async () => {
    const sabotageService = ({ store }: SimulatedService): void => {
      store.putUser = async () => 1;
    };
    expect(await caught({ sabotageService })).toContain('nothing-acknowledged-is-lost');
  });

  test('when its store keeps an event from its readers', async () => {
    const sabotageService = ({ store: { outbox } }: SimulatedService): void => {
      const honest = outbox.eventsAfter.bind(outbox);
      outbox.eventsAfter = (sequence, limit) => honest(sequence % 10 === 9 ? sequence + 1 : sequence, limit);
    };
    expect(await caught({ sabotageService })).toContain('readers-get-everything-once');
  });

  test('when a book is shown that was never stored', async () => {
    const sabotageService = ({ store }: SimulatedService): void => {
      store.publish = async () => {};
    };
    expect(await caught({ sabotageService })).toContain('nothing-acknowledged-is-lost');
  });

  test('when its engine stops deciding and says nothing', async () => {
    const sabotageService = ({ worker }: SimulatedService): void => {
      const honest = worker.propose.bind(worker);
      worker.propose = async (previous, ...rest) =>
        previous !== null && previous.version > 20 ? null : honest(previous, ...rest);
    };
    expect(await caught({ sabotageService })).toContain('decisions-go-on');
  });
});

/** Names of the invariants that a sabotaged simulation violates. */
async function caught(sabotage: Partial<SimulationOptions>): Promise<readonly string[]> {
  const { violations, trace } = await simulate({ seed: 11, days: 12, ...sabotage });
  expect(trace.join()).toContain('VIOLATED');
  return violations.map(({ invariant }) => invariant);
}

function loosenTwice({ book, ...rest }: Proposal): Proposal {
  const { hash: _, ...content } = book;
  const markets = book.markets.map((market) => {
    if (market.governor.move !== 'loosen') return market;
    const { leverageLadder } = DEFAULT_POLICY;
    const rung = leverageLadder.findLast((one) => one > market.brackets[0].maxLeverage * 1.25) ?? 100;
    const top = {
      ...market.brackets[0],
      maxLeverage: rung,
      initialMarginRatePpm: leverageToMarginPpmUp(rung),
    };
    return { ...market, brackets: [top, ...market.brackets.slice(1)] };
  });
  return { ...rest, book: sealBook({ ...content, markets }) };
}
