import { expect, test } from 'vitest';
import { ManualClock } from '../../clock.ts';
import type { SystemStressInput } from '../../limits/market-input.ts';
import { SystemWatch } from './system-watch.ts';

const INPUT = { accounts: 5, leverage: 2, forcedShare: 0, fundUse: 0, observedAt: 1, source: 'test' };

test('decisions take the last answer and wait for none; a failure leaves it, and a clock that went back asks anew', async () => {
  const clock = new ManualClock(1_000_000);
  const seen: number[] = [];
  const waiting: ((answer: SystemStressInput | null | Error) => void)[] = [];
  const watch = new SystemWatch({
    clock,
    ask: () =>
      new Promise((resolve, reject) => {
        waiting.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
      }),
    seen: ({ leverage }) => seen.push(leverage),
  });
  const answer = async (given: SystemStressInput | null | Error): Promise<void> => {
    waiting.shift()?.(given);
    await new Promise(setImmediate);
  };
  expect([watch.latest(), watch.latest(), waiting.length]).toEqual([null, null, 1]);
  await answer(INPUT);
  expect([watch.latest(), waiting.length]).toEqual([INPUT, 0]);
  clock.advance(299_999);
  watch.latest();
  expect(waiting.length).toBe(0);
  clock.advance(1);
  watch.latest();
  await answer(new Error('gone'));
  expect(watch.latest()).toEqual(INPUT);
  clock.set(1_200_000);
  watch.latest();
  await answer({ ...INPUT, leverage: 3 });
  expect(watch.latest()?.leverage).toBe(3);
  clock.advance(300_000);
  watch.latest();
  await answer(null);
  expect(watch.latest()?.leverage).toBe(3);
  expect(seen).toEqual([2, 3]);
});
