import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../src/limits/policy.ts';
import { plimsoll, type Served, serve } from './run-plimsoll.ts';

/** Governance as people meet it: real processes, the command line and HTTP, and a kill in the midst. */
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-people-'));
const LADDER = DEFAULT_POLICY.leverageLadder;
const QUIET = ['--training-schedule', 'off'];
let running: Served | undefined;

afterAll(async () => {
  await running?.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Explained {
  readonly version: number;
  readonly governor: { readonly move: string; readonly publishedMaxLeverage: number };
  readonly governance: Record<'freeze' | 'override' | 'emergency', Record<string, unknown> | null>;
}

async function explain(dataDir: string, symbol: string): Promise<Explained> {
  const { stdout, stderr } = await plimsoll(['explain', symbol, '--data-dir', dataDir, '--json']);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

/** Asks until an answer holds; a change is published by a decision that it triggers itself. */
async function until<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe('with the operator key of the data folder', () => {
  const dataDir = join(folder, 'one');
  const run = async (...args: string[]) => plimsoll([...args, '--data-dir', dataDir]);
  const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).stdout);

  test('a cap is published by a decision of its own, long before the next look at the data', async () => {
    running = await serve(dataDir, QUIET, { PLIMSOLL_DECISION_INTERVAL_SECONDS: '3600' });
    await running.inForce;
    const first = await explain(dataDir, 'BOREUSDT');
    expect(first.version).toBe(1);
    const lower = LADDER.find((rung) => rung < first.governor.publishedMaxLeverage) as number;
    const { code, stdout } = await run(
      'override',
      'BOREUSDT',
      `${lower}x`,
      '--hours',
      '1',
      '--reason',
      'thin book',
    );
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining(`override-1 of BOREUSDT at ${lower}x: in force, until `),
    ]);
    const explained = await until(
      () => explain(dataDir, 'BOREUSDT'),
      ({ version }) => version === 2,
    );
    expect(explained.governor).toMatchObject({ move: 'tighten', publishedMaxLeverage: lower });
    expect(explained.governance.override).toMatchObject({
      id: 'override-1',
      by: 'operator',
      reason: 'thin book',
    });
  }, 120_000);

  test('what was acknowledged is there after kill -9, also when nothing was published any more', async () => {
    const key = readFileSync(join(dataDir, 'operator.key'), 'utf8').trim();
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const acknowledged: string[] = [];
    for (let i = 0; i < 5; i++) {
      const response = await fetch(`${running?.url}/v1/freeze`, {
        method: 'POST',
        headers: { ...headers, 'idempotency-key': `freeze-${i}` },
        body: JSON.stringify({ symbol: 'MAREUSDT', reason: `disputed ${i}` }),
      });
      acknowledged.push(((await response.json()) as { change: { id: string } }).change.id);
    }
    await running?.end('SIGKILL');
    const { changes } = await json('changes');
    expect(changes.map(({ id, status }: Record<string, string>) => [id, status])).toEqual([
      ['freeze-6', 'inForce'],
      ...['freeze-5', 'freeze-4', 'freeze-3', 'freeze-2'].map((id) => [id, 'replaced']),
      ['override-1', 'inForce'],
    ]);
    expect(acknowledged).toEqual(['freeze-2', 'freeze-3', 'freeze-4', 'freeze-5', 'freeze-6']);
    const verified = await run('audit', 'verify');
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining('both chains hold')]);
  });

  test('without a service the store itself is worked on, and the next start obeys', async () => {
    const thawed = await run('thaw', 'MAREUSDT', '--reason', 'agreed');
    expect([thawed.code, thawed.stderr]).toEqual([0, expect.stringContaining('its next start obeys')]);
    expect((await run('freeze', '--hours', '1', '--reason', 'all of it')).code).toBe(0);
    running = await serve(dataDir, QUIET);
    const explained = await until(
      () => explain(dataDir, 'BOREUSDT'),
      ({ version }) => version > 2,
    );
    expect(explained.governance.freeze).toMatchObject({ allMarkets: true, reason: 'all of it' });
    const text = await run('explain', 'BOREUSDT');
    expect(text.stdout).toMatch(/FROZEN with all markets by operator since .*: all of it/);
  }, 120_000);

  test('who is alone can ask for more leverage and not approve it, and is told what to do', async () => {
    const asked = await run('override', 'MAREUSDT', '100', '--hours', '1', '--reason', 'deeper than thought');
    expect([asked.code, asked.stdout]).toEqual([
      0,
      expect.stringMatching(
        /waiting for an approval[\s\S]*PLIMSOLL_KEYS=NAME:approver:SHA256[\s\S]*leverage/,
      ),
    ]);
    const [pending] = (await json('changes')).pending;
    expect(pending.impact.market).toMatchObject({ available: true, ranges: expect.any(Array) });
    expect(pending.impact.accounts).toMatchObject({ available: false });
    const approved = await run('approve', pending.id, '--reason', 'me');
    expect([approved.code, approved.stderr]).toEqual([6, expect.stringContaining('SECOND_PERSON_NEEDED')]);
    expect(approved.stderr).toContain('PLIMSOLL_KEYS');
    const rejected = await run('override', '--withdraw', pending.id, '--reason', 'then not');
    expect([rejected.code, rejected.stdout]).toEqual([0, `${pending.id} of MAREUSDT at 100x: withdrawn\n`]);
  });

  test.each([
    [2, ['override', 'BOREUSDT', '2', '--hours', '1'], '--reason'],
    [2, ['override', 'BOREUSDT', '--hours', '1', '--reason', 'x'], 'a market and a leverage'],
    [2, ['override', 'BOREUSDT', '2', '--withdraw', 'override-1', '--reason', 'x'], 'do not go together'],
    [5, ['override', 'BOREUSDT', '7', '--hours', '1', '--reason', 'x'], 'LEVERAGE_INVALID'],
    [5, ['override', 'BOREUSDT', '2', '--reason', 'x'], 'EXPIRY_INVALID'],
    [5, ['override', 'BOREUSDT', '2', '--until', '2020-01-01', '--reason', 'x'], 'EXPIRY_INVALID'],
    [4, ['override', 'NOPEUSDT', '2', '--hours', '1', '--reason', 'x'], 'MARKET_UNKNOWN'],
    [5, ['freeze', '--hours', '8000', '--reason', 'x'], 'EXPIRY_INVALID'],
    [5, ['freeze', '--reason', '...'], 'INPUT_INVALID'],
    [4, ['thaw', 'MAREUSDT', '--reason', 'x', '--key-file', '/nowhere'], 'NOT_FOUND'],
    [5, ['approve', '../../etc', '--reason', 'x'], 'INPUT_INVALID'],
  ])('exit code %i for %j', async (expected, args, words) => {
    const { code, stderr, stdout } = await run(...args);
    expect([code, stdout]).toEqual([expected, '']);
    expect(stderr).toContain(words);
    expect(stderr).not.toContain('    at ');
  });

  test('every step and every refusal is in the chain', async () => {
    const { entries } = (await (await fetch(`${running?.url}/v1/audit?limit=1000`)).json()) as {
      entries: { kind: string; actor: string; reason: string }[];
    };
    const kinds = new Set(entries.filter(({ actor }) => actor === 'operator').map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(['freeze', 'override', 'refusal', 'thaw', 'withdrawal']);
    const metrics = await (await fetch(`${running?.url}/metrics`)).text();
    expect(metrics).toContain('plimsoll_governance_in_force{kind="freeze"} 1');
    expect(metrics).toContain('plimsoll_governance_refusals_total{act="approve"} 1');
    expect(await running?.end('SIGTERM')).toBe(0);
  });
});

describe('with the keys of two people', () => {
  const dataDir = join(folder, 'two');
  const keyFile = (name: string): string => join(folder, `${name}.key`);
  const keys = [
    ['ann', 'operator'],
    ['carol', 'approver'],
  ] as const;
  const environment = {
    PLIMSOLL_KEYS: keys
      .map(([name, role]) => {
        const key = `${name}-of-the-tests_0123456789`;
        return `${name}:${role}:${createHash('sha256').update(key).digest('hex')}`;
      })
      .join(),
  };
  const run = (name: string, ...args: string[]) =>
    plimsoll([...args, '--data-dir', dataDir, '--key-file', keyFile(name)], environment);

  test('one asks, the other sees what it would do and approves, and the market gets it', async () => {
    for (const [name] of keys)
      writeFileSync(keyFile(name), `${name}-of-the-tests_0123456789\n`, { mode: 0o600 });
    running = await serve(dataDir, QUIET, environment);
    await running.inForce;
    const before = await explain(dataDir, 'BOREUSDT');
    const leverage = LADDER.findLast((rung) => rung > before.governor.publishedMaxLeverage);
    const asked = await run(
      'ann',
      'override',
      'BOREUSDT',
      String(leverage),
      '--hours',
      '1',
      '--reason',
      'asked',
    );
    expect([asked.code, asked.stderr]).toEqual([0, '']);
    expect((await run('ann', 'approve', 'override-1', '--reason', 'me')).code).toBe(6);
    const shown = await run('carol', 'changes');
    expect(shown.stdout).toContain(`override-1  pending  BOREUSDT`);
    const approved = await run('carol', 'approve', 'override-1', '--reason', 'checked');
    expect([approved.code, approved.stdout]).toEqual([0, expect.stringContaining('in force, until')]);
    const after = await until(
      () => explain(dataDir, 'BOREUSDT'),
      ({ version }) => version > before.version,
    );
    expect(after.governance.override).toMatchObject({ by: 'ann', approvedBy: 'carol', mayLoosen: true });
  }, 120_000);

  test('whose hand it is must be said, by a key that nobody else can read', async () => {
    const nobody = await plimsoll(['freeze', '--reason', 'x', '--data-dir', dataDir], environment);
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('--key-file FILE')]);
    writeFileSync(join(folder, 'open.key'), 'ann-of-the-tests_0123456789\n', { mode: 0o644 });
    const open = await run('open', 'freeze', '--reason', 'x');
    expect([open.code, open.stderr]).toEqual([2, expect.stringContaining('chmod 600')]);
    expect(await running?.end('SIGTERM')).toBe(0);
    // The same on the store, without a service.
    writeFileSync(keyFile('eve'), 'eve-of-the-tests_0123456789\n', { mode: 0o600 });
    const stranger = await run('eve', 'freeze', '--reason', 'x');
    expect([stranger.code, stranger.stderr]).toEqual([1, expect.stringContaining('FORBIDDEN')]);
    const carol = await run('carol', 'freeze', '--reason', 'x y', '--json');
    expect(JSON.parse(carol.stdout).change).toMatchObject({ requestedBy: 'carol', status: 'inForce' });
  });
});
