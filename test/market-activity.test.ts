import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isoTime, systemClock } from '../src/clock.ts';
import { HOUR_MILLISECONDS } from '../src/units.ts';
import { plimsoll, type Served, serve } from './run-plimsoll.ts';

interface Table {
  readonly maxLeverage: number;
  readonly initialMarginRatePpm: number;
}

interface Brackets {
  readonly brackets: readonly Table[];
  readonly maintenance: readonly Table[];
  readonly announced: readonly unknown[];
}

interface Explained {
  readonly version: number;
  readonly reasons: readonly string[];
  readonly bounds: readonly { readonly name: string; readonly evidence: Record<string, unknown> }[];
}

const MARKET = 'AURUSDT';
/** Every simulated market is of this class: crowded from two million on, full at four. */
const POLICY = `version: 1
name: crowdable
classes:
  - name: crowdable
    members: ["*"]
    maximumLeverage: 50
    youngListingDays: 0
    youngListingMaximumLeverage: 5
    crowdingLowerCap: 2000000
    crowdingUpperCap: 4000000
`;

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-activity-'));
const dataDir = join(folder, 'var');
const policy = ['--policy', join(folder, 'policy.yaml')];
let running: Served;
let key: string;

beforeAll(async () => {
  writeFileSync(policy[1], POLICY);
  running = await serve(dataDir, policy);
  await running.inForce;
  key = readFileSync(join(dataDir, 'operator.key'), 'utf8').trim();
});

afterAll(async () => {
  await running.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function ask<T>(method: string, path: string, body?: string, type = 'application/json'): Promise<T> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': type };
  const response = await fetch(`${running.url}${path}`, { method, headers, ...(body && { body }) });
  expect([path, response.status]).toEqual([path, 200]);
  return (await response.json()) as T;
}

function tell(fields: Readonly<Record<string, unknown>>, at = systemClock.now()): Promise<unknown> {
  const line = JSON.stringify({ symbol: MARKET, ...fields, observedAt: isoTime(at) });
  return ask('POST', '/v1/market-activity', line, 'application/x-ndjson');
}

function explain(): Promise<Explained> {
  return ask<Explained>('GET', `/v1/markets/${MARKET}/explain`);
}

function brackets(): Promise<Brackets> {
  return ask<Brackets>('GET', `/v1/markets/${MARKET}/brackets`);
}

function evidence({ bounds }: Explained, name: string): Record<string, unknown> {
  return bounds.find((bound) => bound.name === name)?.evidence ?? {};
}

/** Lets a person act on another market, which has all markets decided anew. */
async function decideAnew(): Promise<void> {
  const { version } = await explain();
  await ask('POST', '/v1/freeze', JSON.stringify({ symbol: 'BOREUSDT', reason: 'a test', hours: 1 }));
  await ask('DELETE', '/v1/freeze?symbol=BOREUSDT&reason=tested');
  while ((await explain()).version === version) await setTimeout(20);
}

describe('a service that is told open interest and order books', () => {
  test('asks for more initial margin once there is too much open, and leaves open positions their table', async () => {
    expect(await tell({ openInterest: '1500000' })).toMatchObject({ accepted: 1, lines: [] });
    await decideAnew();
    const calm = await brackets();
    expect(evidence(await explain(), 'crowding')).toMatchObject({ openInterest: 1_500_000, held: false });

    expect(await tell({ openInterest: '3900000' })).toMatchObject({ accepted: 1, lines: [] });
    await decideAnew();
    const crowded = await brackets();
    expect(crowded.brackets[0].initialMarginRatePpm).toBeGreaterThan(calm.brackets[0].initialMarginRatePpm);
    expect(crowded.maintenance).toEqual(calm.maintenance);
    expect(crowded.announced).toEqual(calm.announced);
    const explained = await explain();
    expect(explained.reasons).toContain('CROWDING_BINDS');
    expect(evidence(explained, 'crowding')).toMatchObject({ openInterest: 3_900_000, upperCap: 4_000_000 });
    const { markets } = await ask<{ markets: { symbol: string; openInterest: string }[] }>(
      'GET',
      '/v1/limits',
    );
    expect(markets.find(({ symbol }) => symbol === MARKET)?.openInterest).toBe('3900000');
  });

  test('counts the order book, which can only tighten', async () => {
    const before = await brackets();
    const depth = { bandRatePpm: 1000, quoteNotional: '50000' };
    expect(await tell({ depth })).toMatchObject({ accepted: 1, lines: [] });
    await decideAnew();
    const explained = await explain();
    expect(evidence(explained, 'liquidity')).toMatchObject({ depthNotional: 50_000, depthIgnored: '' });
    expect((await brackets()).brackets[0].maxLeverage).toBeLessThanOrEqual(before.brackets[0].maxLeverage);
    // Of what was told before nothing is lost by saying only the one.
    expect(evidence(explained, 'crowding')).toMatchObject({ openInterest: 3_900_000, held: false });
  });

  test('killed, loosens nothing while it is not told again, and its decisions can be replayed', async () => {
    const [before, { version }] = [await brackets(), await explain()];
    await running.end('SIGKILL');
    running = await serve(dataDir, policy);
    await running.inForce;
    await decideAnew();
    expect((await brackets()).brackets).toEqual(before.brackets);
    const explained = await explain();
    expect(explained.reasons).toContain('BOUND_INPUT_MISSING');
    expect(evidence(explained, 'crowding')).toMatchObject({ openInterest: 3_900_000, held: true });
    expect(evidence(explained, 'liquidity').depthIgnored).toBe('the order book is not known any more');
    expect((await plimsoll(['audit', 'replay', String(version), '--data-dir', dataDir])).code).toBe(0);
  });

  test('takes imported open interest where it is the newest that it knows', async () => {
    const at = systemClock.now() - HOUR_MILLISECONDS;
    const file = join(folder, `${MARKET}-sample-perp-open-interest.csv`);
    writeFileSync(file, `open_interest_time,quote_notional\n${at},3950000\n`);
    expect((await plimsoll(['import', file, '--data-dir', dataDir])).code).toBe(0);
    await decideAnew();
    expect(evidence(await explain(), 'crowding')).toMatchObject({ openInterest: 3_950_000, observedAt: at });
  });
});
