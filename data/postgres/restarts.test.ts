import { expect, test } from 'vitest';
import { Random } from '../../src/random.ts';
import { restartRounds } from './restart-rounds.fixture.ts';
import { OwnServer } from './test-server.ts';

test('a server that is restarted under load fails no read and loses no book that was acknowledged', async () => {
  const server = await OwnServer.start();
  try {
    const report = await restartRounds(server, 3, new Random('restarts'));
    expect(report).toMatchObject({ lost: [], chainHolds: true });
    // An absence of twelve seconds is waited out; on a machine that takes longer for a restart, this says nothing.
    const { longestAbsenceSeconds: absence, failedReads, failedWrites } = report;
    expect(absence < 10 ? [failedReads, failedWrites] : [[], []]).toEqual([[], []]);
    expect(report.acknowledged).toBeGreaterThan(0);
    expect(report.booksStored).toBeGreaterThanOrEqual(report.acknowledged);
    expect(report.booksStored).toBeLessThanOrEqual(report.acknowledged + report.unknown);
  } finally {
    await server.stop();
  }
}, 120_000);
