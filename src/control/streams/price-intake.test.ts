import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ManualClock } from '../../clock.ts';
import { PlimsollError } from '../../errors.ts';
import type { MarkPrice } from '../guard/prices.ts';
import { MemoryBroker } from './memory-broker.ts';
import { PriceIntake } from './price-intake.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A judge who believes every second price, and remembers what came before it. */
function judging(broker: MemoryBroker) {
  const judged: number[] = [];
  const intake = new PriceIntake({
    log: broker.log,
    judge: (text) => {
      const prices = text.split('\n').map(Number);
      judged.push(...prices);
      return prices.filter((price) => price % 2 === 0).map(markOf);
    },
    onFailure: (error) => {
      throw error;
    },
  });
  return { intake, judged };
}

const markOf = (price: number): MarkPrice => ({ symbol: 'BTCUSDT', price, at: price });

async function marksOf({ log }: MemoryBroker): Promise<number[]> {
  const entries = await log.read('marks', 0, 1000);
  return entries.flatMap(({ body }) =>
    new TextDecoder()
      .decode(body)
      .split('\n')
      .map((line) => JSON.parse(line).price),
  );
}

test('prices are judged once, in order, also where another process goes on; only what is believed reaches the marks', async () => {
  const broker = new MemoryBroker(1, new ManualClock(0), 1000);
  for (const price of ['1', '2\n3', '4']) await broker.log.append('prices', bytes(price));
  const first = judging(broker);
  await first.intake.set(true);
  while (first.judged.length < 4) await wait(1);
  await first.intake.set(false);
  for (const price of ['5', '6']) await broker.log.append('prices', bytes(price));

  const second = judging(broker);
  await second.intake.set(true);
  while (second.judged.length < 2) await wait(1);
  await second.intake.mark([markOf(100)]);
  await second.intake.set(false);
  expect([first.judged, second.judged]).toEqual([
    [1, 2, 3, 4],
    [5, 6],
  ]);

  // What is marked by HTTP says too how far the stream was judged.
  const third = judging(broker);
  await third.intake.set(true);
  await broker.log.append('prices', bytes('8'));
  while (third.judged.length < 1) await wait(1);
  await third.intake.set(false);
  expect(third.judged).toEqual([8]);
  expect(await marksOf(broker)).toEqual([2, 4, 6, 100, 8]);
});

test('prices that nobody has judged wait for whoever decides', async () => {
  const broker = new MemoryBroker(1, new ManualClock(0), 1000);
  const { intake, judged } = judging(broker);
  await broker.log.append('prices', bytes('2'));
  await wait(5);
  expect(judged).toEqual([]);
  await intake.set(true);
  while (judged.length < 1) await wait(1);
  await intake.set(false);
  await broker.log.append('prices', bytes('4'));
  await wait(5);
  expect(judged).toEqual([2]);
});

test('what was believed while the broker was away reaches the marks when it is back, in its order, judged once', async () => {
  const broker = new MemoryBroker(1, new ManualClock(0), 1000);
  let isAway = false;
  const failures: string[] = [];
  const judged: string[] = [];
  const intake = new PriceIntake({
    log: {
      ...broker.log,
      append: async (...given) => {
        if (isAway) throw new PlimsollError('STREAM_UNAVAILABLE', 'away');
        return broker.log.append(...given);
      },
    },
    judge: (text) => {
      judged.push(text);
      return [markOf(Number(text))];
    },
    onFailure: ({ code }) => failures.push(code),
  });
  await intake.set(true);
  await broker.log.append('prices', bytes('1'));
  while (judged.length < 1) await wait(1);
  isAway = true;
  await broker.log.append('prices', bytes('2'));
  while (failures.length < 1) await wait(1);
  await expect(intake.mark([markOf(3)])).rejects.toMatchObject({ code: 'STREAM_UNAVAILABLE' });
  isAway = false;
  await intake.set(true);
  await broker.log.append('prices', bytes('4'));
  while (judged.length < 3) await wait(1);
  await intake.set(false);
  expect(judged).toEqual(['1', '2', '4']);
  expect(await marksOf(broker)).toEqual([1, 2, 3, 4]);
});
