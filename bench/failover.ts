import { type Fault, faultRounds } from '../data/postgres/fault-rounds.fixture.ts';
import { Switch } from '../data/postgres/lines.fixture.ts';
import { PostgresStateStore } from '../data/postgres/postgres-state-store.ts';
import { restartRounds } from '../data/postgres/restart-rounds.fixture.ts';
import { OwnServer, TestDatabase } from '../data/postgres/test-server.ts';
import { table } from '../src/cli/command.ts';
import { Random } from '../src/random.ts';
import { print } from './measure.ts';

/**
 * Faults of the leader and restarts of the database, at random moments: `npm run bench -- failover [FAULT] [ROUNDS] [SEED]`, FAULT one of
 * kill, pause, cut, isolate (cut in a network namespace, as root), restart. On a server of its own, and with a reader that asks all the time.
 */
const [, , , fault = 'kill', rounds = '50', seed = 'failover'] = process.argv;
const over = fault === 'isolate' ? Switch.open() : undefined;
const network = { range: `${Switch.NETWORK}.0/24`, address: Switch.address };
const server = await OwnServer.start(over === undefined ? undefined : network);
print(`${rounds} times ${fault}, seed ${seed}`);
try {
  if (fault === 'restart') {
    const report = await restartRounds(server, Number(rounds), new Random(seed));
    print(
      table(
        ['measure', 'value'],
        Object.entries(report).map(([name, value]) => [name, String(value)]),
      ),
    );
  } else await leaderFaults(fault === 'isolate' ? 'cut' : (fault as Fault));
} finally {
  await server.stop();
  over?.close();
}

async function leaderFaults(which: Fault): Promise<void> {
  const database = await TestDatabase.create({ url: (name) => server.url(name) });
  const reader = await PostgresStateStore.open({ url: database.url, name: 'reader', sessions: 2 });
  const reads = { answered: 0, failed: 0, wentBack: 0 };
  let isOver = false;
  const reading = (async () => {
    for (let newest = 0; !isOver; ) {
      try {
        const version = (await reader.latestBook())?.version ?? 0;
        if (version < newest) reads.wentBack++;
        newest = version;
        reads.answered++;
      } catch {
        reads.failed++;
      }
    }
  })();
  const { acknowledged, takeoverSeconds } = await faultRounds(
    database.url,
    which,
    Number(rounds),
    new Random(seed),
    over,
  );
  isOver = true;
  await reading;
  const rows = await database.query('SELECT version::int, term::int FROM book ORDER BY version');
  const stored = new Map(rows.map(({ version, term }) => [version as number, term as number]));
  const terms = [...stored.values()];
  const { firstBadBook, firstBadAuditEntry, books } = await reader.verify();
  await reader.close();
  await database.drop();
  const sorted = [...takeoverSeconds].sort((a, b) => a - b);
  const at = (share: number): string => `${sorted[Math.ceil(share * sorted.length) - 1].toFixed(2)} s`;
  print(
    table(
      ['measure', 'value'],
      [
        ['next book after the fault, median', at(0.5)],
        ['next book after the fault, longest', at(1)],
        ['faults', String(takeoverSeconds.length)],
        ['terms that published', String(new Set(terms).size)],
        ['books stored', String(books)],
        ['books acknowledged', String(acknowledged.length)],
        [
          'acknowledged and lost or of another term',
          String(acknowledged.filter(({ version, term }) => stored.get(version) !== term).length),
        ],
        [
          'acknowledged twice',
          String(acknowledged.length - new Set(acknowledged.map(({ version }) => version)).size),
        ],
        [
          'terms that published after a later one',
          String(terms.filter((term, i) => i > 0 && term < terms[i - 1]).length),
        ],
        ['chain', firstBadBook === null && firstBadAuditEntry === null ? 'holds' : 'BROKEN'],
        ['reads answered', String(reads.answered)],
        ['reads failed', String(reads.failed)],
        ['reads that went back', String(reads.wentBack)],
      ],
    ),
  );
}
