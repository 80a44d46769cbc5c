import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Contact,
  DEFAULT_FALLBACK,
  dividedLeverage,
  type FallbackRules,
  fallbackFaults,
  stateAt,
} from './fallback.ts';

const RULES: FallbackRules = {
  ...{ goneSeconds: 40, longestHoldSeconds: 7200, intervalSeconds: 600, step: 2, refuseAfterSeconds: 3000 },
};
const HEARD = 1_000_000;
const gone: Contact = {
  ...{ isConnected: false, connectionSince: HEARD + 5000, lastHeardAt: HEARD, validUntil: HEARD + 3_600_000 },
};
const at = (seconds: number, contact: Contact = gone) => stateAt(HEARD + seconds * 1000, contact, RULES);

test('holds while the book is valid, then tightens step by step, then refuses', () => {
  expect(at(1, { ...gone, isConnected: true, connectionSince: 7 })).toMatchObject({ name: 'live', since: 7 });
  expect(at(6)).toMatchObject({ name: 'holding', since: HEARD + 5000, divisor: 1 });
  expect(at(3599)).toMatchObject({ name: 'holding', divisor: 1 });
  expect(at(3600)).toMatchObject({ name: 'tightening', since: HEARD + 3_600_000, divisor: 2 });
  expect(at(4199)).toMatchObject({ name: 'tightening', divisor: 2 });
  expect(at(4200)).toMatchObject({ name: 'tightening', divisor: 4 });
  expect(at(6599)).toMatchObject({ name: 'tightening', divisor: 32 });
  expect(at(6600)).toMatchObject({ name: 'refusing', since: HEARD + 6_600_000 });
});

test('a book that has run out is tightened whether the service is there or not, and one that never runs out is not held for ever', () => {
  const runOut = { ...gone, validUntil: HEARD - 1 };
  expect(at(1, runOut)).toMatchObject({ name: 'tightening', since: HEARD - 1, divisor: 2 });
  const endless = { ...gone, validUntil: 8e15 };
  expect([at(7199, endless).name, at(7200, endless).name]).toEqual(['holding', 'tightening']);
});

test('a service that is there and decides no more is followed down, and never refused', () => {
  const idle = { ...gone, isConnected: true, connectionSince: 7, validUntil: HEARD + 10_000 };
  expect(at(9, idle)).toMatchObject({ name: 'live', until: HEARD + 10_000 });
  expect(at(10, idle)).toMatchObject({ name: 'tightening', since: HEARD + 10_000, divisor: 2 });
  // It goes on to say that it lives: hours later caps are at 1x, and not refused.
  const heard = { ...idle, lastHeardAt: HEARD + 36_000_000 };
  expect(stateAt(HEARD + 36_001_000, heard, RULES)).toMatchObject({ name: 'tightening', divisor: 1e6 });
  // A break grants no more than before it.
  const broken = { ...heard, isConnected: false };
  expect(stateAt(HEARD + 36_001_000, broken, RULES)).toMatchObject({ name: 'tightening', divisor: 1e6 });
});

test('a connection that has fallen silent is none', () => {
  const silent = { ...gone, isConnected: true };
  expect([at(39, silent).name, at(40, silent).name]).toEqual(['live', 'holding']);
  expect(at(40, silent).since).toBe(HEARD + 40_000);
});

test('as time passes without a word nothing is ever loosened, and each state holds until it says', () => {
  const order = ['live', 'holding', 'tightening', 'refusing'];
  const contact = fc.record({
    isConnected: fc.boolean(),
    connectionSince: fc.integer({ min: 0, max: HEARD }),
    lastHeardAt: fc.constant(HEARD),
    validUntil: fc.integer({ min: 0, max: HEARD * 20 }),
  });
  fc.assert(
    fc.property(contact, fc.nat(20_000_000), fc.nat(20_000_000), (known, a, b) => {
      const early = stateAt(HEARD + Math.min(a, b), known, RULES);
      const late = stateAt(HEARD + Math.max(a, b), known, RULES);
      expect(order.indexOf(late.name)).toBeGreaterThanOrEqual(order.indexOf(early.name));
      expect(late.divisor).toBeGreaterThanOrEqual(early.divisor);
      if (HEARD + Math.max(a, b) < early.until) expect(late).toEqual(early);
    }),
    { seed: 7, numRuns: 2000 },
  );
});

test('leverages are divided down to 1x and never up', () => {
  expect([8, 7.5, 1.5, 1, 0].map((leverage) => dividedLeverage(leverage, 4))).toEqual([2, 1.87, 1, 1, 0]);
  expect(dividedLeverage(7.123, 1)).toBe(7.123);
});

test('rules that contradict themselves are named', () => {
  expect(fallbackFaults(DEFAULT_FALLBACK)).toEqual([]);
  const faults = fallbackFaults({ ...RULES, goneSeconds: 0, step: 1, intervalSeconds: Number.NaN });
  expect(faults.map((fault) => fault.split(' ')[0])).toEqual([
    ...['fallback.goneSeconds', 'fallback.intervalSeconds', 'fallback.step'],
  ]);
});
