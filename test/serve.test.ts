import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SAMPLE_MARKETS } from '../data/sample/markets.ts';
import { scheduleFaults } from '../src/limits/brackets.ts';
import { plimsoll, type Served, serve } from './run-plimsoll.ts';

interface Limits {
  readonly version: number;
  readonly hash: string;
  readonly simulated: boolean;
  readonly degraded: boolean;
  readonly total: number;
  readonly model: string | null;
  readonly markets: readonly {
    readonly symbol: string;
    readonly maxLeverage: number;
    readonly brackets: readonly Record<string, string | number>[];
  }[];
}

async function read<T>(url: string): Promise<T> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-serve-'));
const dataDir = join(folder, 'var');
let running: Served | undefined;

afterAll(async () => {
  await running?.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

describe('a first start with nothing imported', () => {
  let key: string;

  beforeAll(async () => {
    running = await serve(dataDir);
    await running.inForce;
  });

  test('serves every simulated market, says that it is simulated, and every schedule keeps the invariants', async () => {
    const limits = await read<Limits>(`${running?.url}/v1/limits`);
    expect(limits.total).toBe(SAMPLE_MARKETS.length);
    expect(limits.markets.map(({ symbol }) => symbol)).toEqual(
      SAMPLE_MARKETS.map(({ symbol }) => symbol).sort(),
    );
    expect(limits).toMatchObject({ version: 1, simulated: true, degraded: false });
    expect(limits.model).toMatch(/^shock-network@/);
    for (const market of limits.markets) {
      const brackets = market.brackets.map((bracket) => ({
        bracket: Number(bracket.bracket),
        notionalFloor: Number(bracket.notionalFloor),
        notionalCap: Number(bracket.notionalCap),
        maxLeverage: Number(bracket.maxLeverage),
        initialMarginRatePpm: Number(bracket.initialMarginRatePpm),
        maintenanceMarginRatePpm: Number(bracket.maintenanceMarginRatePpm),
        maintenanceAmountMicros: Math.round(Number(bracket.maintenanceAmount) * 1e6),
      }));
      expect(scheduleFaults(brackets)).toEqual([]);
    }
  });

  test('prints the operator key once and keeps it where only its owner can read it', () => {
    const [, printed] = /Operator key.*: (\S+)/.exec(running?.stderr() ?? '') ?? [];
    key = printed;
    const path = join(dataDir, 'operator.key');
    expect(readFileSync(path, 'utf8').trim()).toBe(key);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('a second service on the same folder is refused and changes nothing', async () => {
    const second = await plimsoll(['serve', '--port', '0', '--data-dir', dataDir]);
    expect(second.code).toBe(6);
    expect(second.stderr).toContain('LOCKED');
    expect((await fetch(`${running?.url}/readyz`)).status).toBe(200);
  });

  test('the command line reads the same limits beside the service', async () => {
    const shown = await plimsoll(['limits', '--json', '--data-dir', dataDir]);
    expect(shown.code).toBe(0);
    expect(JSON.parse(shown.stdout)).toEqual(await read(`${running?.url}/v1/limits`));
  });

  test('what accounts hold counts in the caps of their user, netted with correlations that were measured meanwhile', async () => {
    const [first, second] = SAMPLE_MARKETS.map(({ symbol }) => symbol);
    const url = `${running?.url}/v1/users/holder/caps?symbol=${first}&side=long`;
    interface Caps {
      readonly accountId: string | null;
      readonly correlationsAsOf: string | null;
      readonly caps: readonly { readonly maxLeverage: number; readonly notes: readonly string[] }[];
    }
    expect((await read<Caps>(url)).accountId).toBeNull();
    await expect
      .poll(async () => (await read<Caps>(url)).correlationsAsOf, { timeout: 10_000 })
      .not.toBeNull();
    const positions = [{ symbol: second, side: 'long', quantity: '1', entryPrice: '1' }];
    const put = await fetch(`${running?.url}/v1/accounts/holder`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ userId: 'holder', marginMode: 'cross', equity: '1000000', positions }),
    });
    expect(put.status).toBe(200);
    const { accountId, caps } = await read<Caps>(url);
    expect([accountId, caps[0].notes]).toEqual(['holder', ['OPEN_INTEREST_UNKNOWN']]);
    expect(caps[0].maxLeverage).toBeGreaterThan(1);
  });

  test('killed without warning, it comes back with the same book, the users and an unbroken chain', async () => {
    const before = await read<Limits>(`${running?.url}/v1/limits`);
    const put = await fetch(`${running?.url}/v1/users/u1`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ maxLeverage: 3 }),
    });
    expect(put.status).toBe(200);
    await running?.end('SIGKILL');
    running = await serve(dataDir);
    expect(running.stderr()).not.toContain('Operator key');
    await running.inForce;
    const after = await read<Limits>(`${running.url}/v1/limits`);
    expect({ version: after.version, hash: after.hash }).toEqual({
      version: before.version,
      hash: before.hash,
    });
    const { caps } = await read<{ caps: { maxLeverage: number }[] }>(
      `${running.url}/v1/users/u1/caps?symbol=AURUSDT`,
    );
    expect(caps[0].maxLeverage).toBeLessThanOrEqual(3);
    const verified = await plimsoll(['audit', 'verify', '--data-dir', dataDir]);
    expect(verified.code).toBe(0);
    expect(verified.stdout).toContain('both chains hold');
  });

  test('told to end, it ends in order with exit code 0; interrupted, with 130', async () => {
    expect(await running?.end('SIGTERM')).toBe(0);
    running = await serve(dataDir);
    expect(await running.end('SIGINT')).toBe(130);
    running = undefined;
  });
});

test('told to end at any moment of a start, also in the midst of reading bars, it ends in order', async () => {
  const folderOfOne = join(folder, 'moments');
  const first = await serve(folderOfOne);
  await first.inForce;
  expect(await first.end('SIGTERM')).toBe(0);
  for (const milliseconds of [0, 250, 500, 800]) {
    const service = await serve(folderOfOne);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    expect([milliseconds, await service.end('SIGTERM')]).toEqual([milliseconds, 0]);
  }
});

describe('a start that meets trouble', () => {
  test('a damaged champion: the classical predictors decide, and it says so', async () => {
    const damaged = join(folder, 'damaged');
    const shipped = join(import.meta.dirname, '..', 'models');
    const { champion } = JSON.parse(readFileSync(join(shipped, 'aliases.json'), 'utf8'));
    const own = join(damaged, 'models', 'versions', champion);
    mkdirSync(own, { recursive: true });
    cpSync(join(shipped, 'versions', champion), own, { recursive: true });
    writeFileSync(join(own, 'weights.bin'), 'rubbish');
    const service = await serve(damaged);
    try {
      await service.inForce;
      const limits = await read<Limits>(`${service.url}/v1/limits`);
      expect(limits).toMatchObject({ model: null, total: SAMPLE_MARKETS.length, degraded: true });
      const metrics = await (await fetch(`${service.url}/metrics`)).text();
      expect(metrics).toContain('plimsoll_fallback_active{reason="model_damaged"} 1');
      expect(service.stderr()).toContain('checksum');
    } finally {
      await service.end('SIGKILL');
    }
  });

  test('every fault of the configuration is told before anything is made', async () => {
    const untouched = join(folder, 'untouched');
    const { code, stderr } = await plimsoll(['serve', '--data-dir', untouched, '--port', 'x'], {
      PLIMSOLL_HOST: '0.0.0.0',
      PLIMSOLL_LOG_LEVEL: 'loud',
    });
    expect(code).toBe(2);
    for (const fault of ['--port', 'PLIMSOLL_LOG_LEVEL']) expect(stderr).toContain(fault);
    expect(() => statSync(untouched)).toThrow('ENOENT');
  });

  test('a port that is taken is told with the remedy', async () => {
    const first = await serve(join(folder, 'port'));
    try {
      const port = new URL(first.url).port;
      const second = await plimsoll(['serve', '--port', port, '--data-dir', join(folder, 'other')]);
      expect(second.code).toBe(2);
      expect(second.stderr).toMatch(/another program listens there[\s\S]*--port/);
    } finally {
      await first.end('SIGKILL');
    }
  });

  test('a state file that is rubbish is refused with exit code 5 and left as it is', async () => {
    const broken = join(folder, 'broken');
    mkdirSync(broken);
    writeFileSync(join(broken, 'state.sqlite'), 'rubbish'.repeat(1000));
    const { code, stderr } = await plimsoll(['serve', '--port', '0', '--data-dir', broken]);
    expect(code).toBe(5);
    expect(stderr).toContain('STORE_DAMAGED');
    expect(readFileSync(join(broken, 'state.sqlite'), 'utf8')).toBe('rubbish'.repeat(1000));
  });
});
