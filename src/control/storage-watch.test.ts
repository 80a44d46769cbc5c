import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { PlimsollError } from '../errors.ts';
import { StorageWatch } from './storage-watch.ts';

test('a failure of storage is told once, and its end when a probe was stored; other failures are none of it', async () => {
  const told: boolean[] = [];
  let hasRoom = false;
  let probes = 0;
  const watch = new StorageWatch({
    probe: async () => {
      probes++;
      if (!hasRoom) throw new PlimsollError('IO_FAILED', 'full');
    },
    onChange: (isFailing) => told.push(isFailing),
    probeMilliseconds: 5,
  });
  watch.failed(new PlimsollError('INTERNAL', 'a defect'));
  await wait(30);
  expect([told, probes]).toEqual([[], 0]);
  for (let i = 0; i < 3; i++) watch.failed(new PlimsollError('IO_FAILED', 'full'));
  while (probes < 3) await wait(5);
  expect([told, watch.isFailing]).toEqual([[true], true]);
  hasRoom = true;
  while (watch.isFailing) await wait(5);
  expect(told).toEqual([true, false]);
  watch.failed(new PlimsollError('IO_FAILED', 'full again'));
  expect(told).toEqual([true, false, true]);
  watch.stop();
  expect(watch.isFailing).toBe(false);
});
