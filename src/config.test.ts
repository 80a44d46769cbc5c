import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { DEFAULT_GATE_POLICY } from '../training/judge/gate-policy.ts';
import { type ConfigInput, printableConfig, resolveConfig, SETTINGS } from './config.ts';
import { PlimsollError } from './errors.ts';
import { DEFAULT_POLICY } from './limits/policy.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HASH = 'a'.repeat(64);

function resolve(input: Partial<ConfigInput> & { readonly file?: string }) {
  const { file, flags = {}, environment = {} } = input;
  const path = join(folder, 'settings.yaml');
  if (file !== undefined) writeFileSync(path, file);
  return resolveConfig({ flags: { ...flags, ...(file === undefined ? {} : { config: path }) }, environment });
}

function faultsOf(input: Parameters<typeof resolve>[0]): string[] {
  try {
    resolve(input);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(PlimsollError);
    expect(thrown).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 2 });
    return (thrown as PlimsollError).details.faults as string[];
  }
  return [];
}

describe('the configuration', () => {
  test('without anything is the documented default: loopback, port 8080, ./var, no keys', () => {
    const { values, origins } = resolve({});
    expect(values).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      dataDir: './var',
      keys: [],
      policy: DEFAULT_POLICY,
      gates: DEFAULT_GATE_POLICY,
    });
    expect(new Set(Object.values(origins))).toEqual(new Set(['default']));
  });

  test('a flag beats the environment, the environment beats the file, the file beats the default', () => {
    const file = 'port: 1001\nhost: 127.0.0.2\nlogLevel: warn\n';
    const environment = { PLIMSOLL_PORT: '1002', PLIMSOLL_HOST: '127.0.0.3' };
    const { values, origins } = resolve({ file, environment, flags: { port: '1003' } });
    expect(values).toMatchObject({ port: 1003, host: '127.0.0.3', logLevel: 'warn' });
    expect(origins).toMatchObject({
      port: 'flag',
      host: 'environment',
      logLevel: 'file',
      dataDir: 'default',
    });
  });

  test('the file changes the bounds of the gates that it names', () => {
    const { values, origins } = resolve({ file: 'gates:\n  mostLatencyMilliseconds: 5\n' });
    expect(values.gates).toEqual({ ...DEFAULT_GATE_POLICY, mostLatencyMilliseconds: 5 });
    expect(origins.gates).toBe('file');
  });

  test('every fault of every source is told at once', () => {
    const faults = faultsOf({
      flags: { port: 'eighty' },
      environment: {
        PLIMSOLL_HOST: 'not an address',
        PLIMSOLL_LOG_LEVEL: 'loud',
        PLIMSOLL_TRAINING_SCHEDULE: 'daily',
      },
      file: 'decisionIntervalSeconds: 0\npolicy: { maintenanceConfidence: 0.5, initialConfidense: 0.99 }\n',
    });
    const text = faults.join('\n');
    for (const name of [
      '--port',
      'PLIMSOLL_HOST',
      'PLIMSOLL_LOG_LEVEL',
      'PLIMSOLL_TRAINING_SCHEDULE',
      'decisionIntervalSeconds',
    ])
      expect(text).toContain(name);
    expect(text).toContain('did you mean initialConfidence?');
    expect(text).toContain('policy.maintenanceConfidence must be one of');
    expect(faults).toHaveLength(7);
  });

  test('a name that is not known is a fault that offers the near one', () => {
    expect(faultsOf({ environment: { PLIMSOLL_PROT: '1' } })).toEqual([
      'PLIMSOLL_PROT: is not known; did you mean PLIMSOLL_PORT?',
    ]);
    expect(faultsOf({ file: 'watchlist: [BTCUSDT]' })[0]).toContain('did you mean watchList?');
  });

  test.each([
    ['a file that is not there', { flags: { config: join(folder, 'absent.yaml') } }, 'cannot be read'],
    ['a file that is not YAML', { file: 'port: [' }, 'cannot be read'],
    ['a file that is a list', { file: '- 1\n- 2' }, 'must hold settings by name'],
    ['a port beyond the last', { flags: { port: '65536' } }, '65536'],
    ['a port that is not whole', { flags: { port: '80.5' } }, '80.5'],
    ['a number in another notation', { flags: { port: '0x50' } }, 'must be a number'],
    ['an empty folder', { file: 'dataDir: ""' }, 'must name a folder'],
    [
      'a symbol in lower case',
      { environment: { PLIMSOLL_WATCH_LIST: 'BTCUSDT,ethusdt' } },
      'PLIMSOLL_WATCH_LIST.1',
    ],
    ['a key with a short hash', { environment: { PLIMSOLL_KEYS: 'desk:reader:abc' } }, 'SHA-256'],
    ['a role that is not known', { environment: { PLIMSOLL_KEYS: `desk:root:${HASH}` } }, 'role'],
    [
      'two keys of one name',
      { environment: { PLIMSOLL_KEYS: `a:reader:${HASH},a:operator:${HASH}` } },
      'same name',
    ],
    ['an open address without keys', { flags: { host: '0.0.0.0' } }, 'no keys are configured'],
    [
      'a policy of the wrong type',
      { file: 'policy: { maximumBrackets: many }' },
      'policy.maximumBrackets must be a number',
    ],
    ['a bound of the gates that there is not', { file: 'gates: { mostLatency: 5 }' }, 'mostLatency'],
    [
      'a policy that contradicts itself',
      { file: 'policy: { maximumLeverage: 5 }' },
      'degradedMaximumLeverage',
    ],
    [
      'a wrong name deep in the policy',
      { file: 'policy: { governor: { loosenDelay: 1 } }' },
      'did you mean loosenDelayHours',
    ],
    [
      'a list in the policy that is none',
      { file: 'policy: { leverageLadder: 5 }' },
      'must be a list of numbers',
    ],
  ] as const)('%s is refused', (_, input, expected) => {
    expect(faultsOf(input).join('\n')).toContain(expected);
  });

  test('an open address with a key is accepted, and part of a policy changes only that part', () => {
    const file = 'policy: { name: cautious, governor: { loosenDelayHours: 72 } }';
    const { values } = resolve({
      file,
      flags: { host: '0.0.0.0' },
      environment: { PLIMSOLL_KEYS: `desk:reader:${HASH}` },
    });
    expect(values.keys).toEqual([{ name: 'desk', role: 'reader', sha256: HASH }]);
    expect(values.policy).toEqual({
      ...DEFAULT_POLICY,
      name: 'cautious',
      governor: { ...DEFAULT_POLICY.governor, loosenDelayHours: 72 },
    });
  });

  test('a policy file takes the place of the policy in the settings: by flag, else by environment', () => {
    const file = 'policy: { name: settings, maximumLeverage: 50 }';
    const [flagged, named] = ['flagged', 'named'].map((name) => {
      const path = join(folder, `${name}.yaml`);
      writeFileSync(path, `version: 1\nname: ${name}\n`);
      return path;
    });
    const environment = { PLIMSOLL_POLICY: named };
    const byFlag = resolve({ file, environment, flags: { policy: flagged } });
    expect(byFlag).toMatchObject({
      values: { policy: { ...DEFAULT_POLICY, name: 'flagged' } },
      origins: { policy: 'flag' },
    });
    const byEnvironment = resolve({ file, environment });
    expect(byEnvironment.values.policy).toEqual({ ...DEFAULT_POLICY, name: 'named' });
    expect(byEnvironment.origins.policy).toBe('environment');
    const broken = join(folder, 'broken.yaml');
    writeFileSync(broken, 'version: 1\nname: broken\nmaximumBrackets: 1\n');
    expect(faultsOf({ file, flags: { policy: broken } })).toEqual([
      `${broken}: line 3: maximumBrackets must be a whole number of at least 2`,
    ]);
  });

  test('scheduled training can be switched off in every source', () => {
    expect(resolve({ file: 'trainingSchedule: off' }).values.trainingSchedule).toBeNull();
    expect(
      resolve({ environment: { PLIMSOLL_TRAINING_SCHEDULE: 'off' } }).values.trainingSchedule,
    ).toBeNull();
    expect(resolve({ flags: { trainingSchedule: 'off' } }).values.trainingSchedule).toBeNull();
  });

  test('what is printed names every origin and no hash of a key', () => {
    const shown = printableConfig(resolve({ environment: { PLIMSOLL_KEYS: `desk:reader:${HASH}` } }));
    expect(Object.keys(shown).sort()).toEqual([...Object.keys(SETTINGS), 'policy', 'gates'].sort());
    expect(shown.keys).toMatchObject({ origin: 'environment' });
    expect(JSON.stringify(shown)).not.toContain(HASH);
  });
});

describe('who may call', () => {
  test('keys have any role, and in a file fewer scopes and some users only', () => {
    const file = `keys: [{name: a, role: exchange, sha256: ${HASH}, scopes: [prices:write], subjects: [desk-]}]`;
    expect(resolve({ file }).values.keys).toEqual([
      { name: 'a', role: 'exchange', sha256: HASH, scopes: ['prices:write'], subjects: ['desk-'] },
    ]);
    const environment = { PLIMSOLL_KEYS: `b:data-scientist:${HASH}` };
    expect(resolve({ environment }).values.keys[0].role).toBe('data-scientist');
    expect(faultsOf({ file: file.replace('prices:write', 'everything') })[0]).toContain('keys.0.scopes');
  });

  test('limits of rates are set one by one, and the others stay', () => {
    const environment = { PLIMSOLL_RATE_LIMITS: 'exchange=70000, address=0' };
    const { rateLimits } = resolve({ environment }).values;
    expect([rateLimits.exchange, rateLimits.address, rateLimits.reader, rateLimits.firstRun]).toEqual([
      70_000, 0, 500, 0,
    ]);
    for (const bad of ['exchange=-1', 'exchange=x', 'exchange', 'king=5'])
      expect(faultsOf({ environment: { PLIMSOLL_RATE_LIMITS: bad } })).toHaveLength(1);
  });

  test('an identity provider has its keys at one place, not over an open network, and opens other addresses', () => {
    const identity = { issuer: 'https://a.example', audience: 'plimsoll', jwksUrl: 'https://a.example/jwks' };
    const environmentOf = (changes: object) => ({
      PLIMSOLL_HOST: '0.0.0.0',
      PLIMSOLL_IDENTITY: JSON.stringify({ ...identity, ...changes }),
    });
    expect(resolve({ environment: environmentOf({}) }).values.identity).toMatchObject({
      ...identity,
      roleClaim: 'plimsoll_roles',
    });
    expect(faultsOf({ environment: environmentOf({ jwksUrl: 'http://127.0.0.1:1/jwks' }) })).toEqual([]);
    for (const bad of [
      { jwksUrl: 'http://a.example/jwks' },
      { jwksFile: 'keys.json' },
      { roles: { x: 'king' } },
      { issuer: '' },
    ])
      expect(faultsOf({ environment: environmentOf(bad) }).length).toBeGreaterThan(0);
  });

  test('an address that others can reach needs keys, or that they are required', () => {
    const host = { PLIMSOLL_HOST: '0.0.0.0' };
    expect(faultsOf({ environment: host })[0]).toContain('PLIMSOLL_REQUIRE_KEYS');
    expect(faultsOf({ environment: { ...host, PLIMSOLL_REQUIRE_KEYS: 'true' } })).toEqual([]);
  });

  test('the address of a database is told without what is secret in it, and roles need one', () => {
    const PLIMSOLL_DATABASE_URL = 'postgresql://ann:hush@db:5432/plimsoll';
    const config = resolve({ environment: { PLIMSOLL_DATABASE_URL, PLIMSOLL_ROLE: 'serve' } });
    expect(config.values).toMatchObject({ databaseUrl: PLIMSOLL_DATABASE_URL, role: 'serve' });
    const shown = JSON.stringify(printableConfig(config));
    expect(shown).toContain('postgresql://(masked)@db:5432/plimsoll');
    expect(shown).not.toMatch(/ann|hush/);
    for (const bad of ['mysql://ann:hush@db/x', 'postgresql://ann:hush@db', 'hush']) {
      const [fault, ...others] = faultsOf({ environment: { PLIMSOLL_DATABASE_URL: bad } });
      expect([fault, others]).toEqual([expect.stringContaining('PLIMSOLL_DATABASE_URL'), []]);
      expect(fault).not.toContain('hush');
    }
    expect(faultsOf({ environment: { PLIMSOLL_ROLE: 'decide' } })[0]).toContain('PLIMSOLL_DATABASE_URL');
    expect(faultsOf({ environment: { PLIMSOLL_ROLE: 'king' } })).toHaveLength(1);
  });

  test('the address of NATS is told without what is secret in it; partitions and their processes need what they stand on', () => {
    const PLIMSOLL_NATS_URL = 'nats://ann:hush@n1:4222,nats://ann:hush@n2:4222';
    const shown = JSON.stringify(printableConfig(resolve({ environment: { PLIMSOLL_NATS_URL } })));
    expect(shown).toContain('nats://(masked)@n1:4222,nats://(masked)@n2:4222');
    expect(shown).not.toMatch(/ann|hush/);
    for (const bad of ['http://ann:hush@n1', 'hush', 'nats://']) {
      const [fault, ...others] = faultsOf({ environment: { PLIMSOLL_NATS_URL: bad } });
      expect([fault, others]).toEqual([expect.stringContaining('PLIMSOLL_NATS_URL'), []]);
      expect(fault).not.toContain('hush');
    }
    const PLIMSOLL_DATABASE_URL = 'postgresql://ann:hush@db:5432/plimsoll';
    const PLIMSOLL_ACCOUNT_PARTITIONS = '4';
    const needs = (environment: Record<string, string>) => faultsOf({ environment }).join();
    expect(needs({ PLIMSOLL_ACCOUNT_PARTITIONS })).toContain('PLIMSOLL_NATS_URL');
    expect(needs({ PLIMSOLL_ACCOUNT_PARTITIONS, PLIMSOLL_NATS_URL })).toContain('PLIMSOLL_DATABASE_URL');
    expect(needs({ PLIMSOLL_ROLE: 'accounts', PLIMSOLL_DATABASE_URL })).toContain('PLIMSOLL_NATS_URL');
    const all = {
      PLIMSOLL_ACCOUNT_PARTITIONS,
      PLIMSOLL_NATS_URL,
      PLIMSOLL_DATABASE_URL,
      PLIMSOLL_ROLE: 'accounts',
    };
    expect(needs(all)).toBe('');
  });
});
