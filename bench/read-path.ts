import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import autocannon from 'autocannon';
import { table } from '../src/cli/command.ts';
import { median, megabytes, print } from './measure.ts';

/**
 * Reads as bytes against a bare `node:http` server that sends the same bytes, and against Express alone. The servers
 * take turns within one run; processor time per request is the figure that a busy machine disturbs least.
 */
const KINDS = ['bare', 'plimsoll', 'express'] as const;
const BRACKETS = '/v1/markets/M0000USDT/brackets';
const CASES = [
  { markets: 500, path: BRACKETS, status: 200 },
  { markets: 12, path: '/v1/limits', status: 200 },
  { markets: 100, path: '/v1/limits', status: 200 },
  { markets: 500, path: '/v1/limits', status: 200 },
  { markets: 500, path: BRACKETS, status: 304 },
  { markets: 500, path: '/v1/limits', status: 304 },
] as const;
const ROUNDS = 5;
const SECONDS = 3;
const CONNECTIONS = 50;

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  readonly etag: string;
}

interface Round {
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuMicroseconds: number;
  readonly residentBytes: number;
}

const rows: string[][] = [];
for (const { markets, path, status } of CASES) {
  const servers = new Map<string, Server>();
  for (const kind of KINDS) {
    const child = fork(new URL('./read-path-server.ts', import.meta.url), [kind, String(markets), path]);
    const [{ port, etag }] = (await once(child, 'message')) as [{ port: number; etag: string }];
    servers.set(kind, { child, port, etag });
  }
  const rounds = new Map<string, Round[]>(KINDS.map((kind) => [kind, []]));
  let bytes = 0;
  // The first round warms the compilers up and is thrown away.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const kind of KINDS) {
      const { child, port, etag } = servers.get(kind) as Server;
      const before = await usage(child);
      const url = `http://127.0.0.1:${port}${path}`;
      const headers = status === 304 ? { 'if-none-match': etag } : {};
      const result = await autocannon({ url, headers, connections: CONNECTIONS, duration: SECONDS });
      const after = await usage(child);
      const wanted = status === 304 ? result['3xx'] : result['2xx'];
      if (wanted !== result.requests.total) throw new Error(`${kind} answered with failures`);
      bytes = result.throughput.total / result.requests.total;
      if (round === 0) continue;
      rounds.get(kind)?.push({
        requestsPerSecond: result.requests.average,
        p50: result.latency.p50,
        p99: result.latency.p99,
        cpuMicroseconds: (after.cpuMicroseconds - before.cpuMicroseconds) / result.requests.total,
        residentBytes: after.residentBytes,
      });
    }
  }
  for (const { child } of servers.values()) child.kill();
  const of = (kind: string, pick: (round: Round) => number): number =>
    median((rounds.get(kind) ?? []).map(pick));
  for (const kind of KINDS) {
    const cpu = of(kind, (round) => round.cpuMicroseconds);
    rows.push([
      path.replace('M0000USDT', '{symbol}'),
      String(markets),
      String(status),
      `${(bytes / 1000).toFixed(1)} kB`,
      kind,
      of(kind, (round) => round.requestsPerSecond).toFixed(0),
      (of(kind, (round) => round.requestsPerSecond) / of('bare', (round) => round.requestsPerSecond)).toFixed(
        2,
      ),
      of(kind, (round) => round.p50).toFixed(0),
      of(kind, (round) => round.p99).toFixed(0),
      cpu.toFixed(1),
      (cpu / of('bare', (round) => round.cpuMicroseconds)).toFixed(2),
      megabytes(of(kind, (round) => round.residentBytes)),
    ]);
  }
}
print(`${CONNECTIONS} connections, medians of ${ROUNDS} rounds of ${SECONDS} s each, servers in turns`);
const header = [
  'read',
  'markets',
  'status',
  'bytes',
  'server',
  'requests/s',
  'of bare',
  'p50 ms',
  'p99 ms',
  'cpu µs/request',
  'over bare',
  'memory',
];
print(table(header, rows));

async function usage(child: ChildProcess): Promise<{ cpuMicroseconds: number; residentBytes: number }> {
  child.send('usage');
  const [answer] = await once(child, 'message');
  return answer as { cpuMicroseconds: number; residentBytes: number };
}
