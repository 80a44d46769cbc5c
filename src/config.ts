import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import { gatePolicyFromInput } from '../training/judge/gate-policy.ts';
import { PlimsollError } from './errors.ts';
import { CONFIDENCES, HORIZONS_HOURS } from './forecast/predictor.ts';
import type { Policy } from './limits/policy.ts';
import { policyFromInput } from './limits/policy-input.ts';
import { readPolicyFile, readSettingsText } from './policy-file.ts';
import { type Config, SETTINGS, type Setting, type SettingName } from './settings.ts';
import { didYouMean } from './spelling.ts';

export { type Config, type ConfiguredWebhook, type ProcessRole, SETTINGS } from './settings.ts';

/** Where a value came from, strongest first. */
export type Origin = 'flag' | 'environment' | 'file' | 'default';

export interface EffectiveConfig {
  readonly values: Config;
  readonly origins: Readonly<Record<keyof Config, Origin>>;
}

/** Parts of the file that hold more than one value. */
const SECTIONS: readonly string[] = ['policy', 'gates'];

const NAMES = Object.keys(SETTINGS) as SettingName[];
/** Variables that are no setting: the places of the configuration file and of the policy file. */
export const FILE_VARIABLES = { config: 'PLIMSOLL_CONFIG', policy: 'PLIMSOLL_POLICY' } as const;

export interface ConfigInput {
  /** Texts as given on the command line. */
  readonly flags: { readonly [Name in SettingName | keyof typeof FILE_VARIABLES]?: string | undefined };
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The configuration of this process. */
export function loadConfig(flags: ConfigInput['flags']): EffectiveConfig {
  return resolveConfig({ flags, environment: process.env });
}

/**
 * Flags before environment before file before defaults. Every fault of every source is found before anything starts.
 *
 * @throws PlimsollError CONFIG_INVALID, with all faults in the message and in `details.faults`.
 */
export function resolveConfig({ flags, environment }: ConfigInput): EffectiveConfig {
  const faults: string[] = [];
  const path = flags.config ?? (environment[FILE_VARIABLES.config] || undefined);
  const file = path === undefined ? {} : readFile(path, faults);
  for (const variable of Object.keys(environment)) faults.push(...unknownVariable(variable));
  for (const name of Object.keys(file))
    if (!SECTIONS.includes(name) && !isSetting(name)) faults.push(unknownName(`${path}: ${name}`, name));

  const values: Record<string, unknown> = {};
  const origins: Partial<Record<keyof Config, Origin>> = {};
  for (const name of NAMES) {
    const setting = SETTINGS[name];
    const { origin, where, raw } = strongest(name, flags, environment, file, path);
    const parsed = setting.schema.safeParse(raw);
    origins[name] = origin;
    if (parsed.success) values[name] = parsed.data;
    else
      for (const issue of parsed.error.issues)
        faults.push(describe(where, setting.isSecret ? null : raw, issue));
  }
  const { policy, origin: policyOrigin } = resolvePolicy(flags, environment, file, path, faults);
  origins.policy = policyOrigin;
  const { policy: gates, faults: gateFaults } = gatePolicyFromInput(file.gates);
  faults.push(...gateFaults.map((fault) => `${path}: ${fault}`));
  origins.gates = file.gates === undefined ? 'default' : 'file';
  faults.push(...crossFaults(values));
  if (faults.length > 0) throw configInvalid(faults);
  return { values: { ...values, policy, gates } as Config, origins: origins as EffectiveConfig['origins'] };
}

/** The configuration for a person's eyes: origins named, hashes of keys and secrets left out. */
export function printableConfig({ values, origins }: EffectiveConfig): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    shown[name] = { value: masked(name, values) ?? value, origin: origins[name as keyof Config] };
  }
  return shown;
}

function masked(name: string, { keys, webhooks, databaseUrl, natsUrl }: Config): unknown {
  if (name === 'databaseUrl' && databaseUrl !== null) return withoutCredentials(databaseUrl);
  if (name === 'natsUrl' && natsUrl !== null) return natsUrl.split(',').map(withoutCredentials).join(',');
  if (name === 'keys') return keys.map((key) => ({ ...key, sha256: '(masked)' }));
  // An address may hold a secret of its receiver too.
  if (name === 'webhooks')
    return webhooks.map((hook) => ({ ...hook, url: new URL(hook.url).origin, secret: '(masked)' }));
  return undefined;
}

function withoutCredentials(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//(masked)@${host}${pathname}`;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

function isSetting(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

function readFile(path: string, faults: string[]): Record<string, unknown> {
  try {
    const content: unknown = parseYaml(readSettingsText(path)) ?? {};
    if (typeof content === 'object' && !Array.isArray(content)) return content as Record<string, unknown>;
    faults.push(`${path}: must hold settings by name`);
  } catch (thrown) {
    faults.push(`${path}: cannot be read: ${(thrown as Error).message.split('\n')[0]}`);
  }
  return {};
}

/** A policy file that is named takes the place of all that the configuration file says of the policy. */
function resolvePolicy(
  flags: ConfigInput['flags'],
  environment: ConfigInput['environment'],
  file: Record<string, unknown>,
  path: string | undefined,
  faults: string[],
): { policy: Policy; origin: Origin } {
  const named = flags.policy ?? (environment[FILE_VARIABLES.policy] || undefined);
  if (named !== undefined) {
    const { policy, faults: found } = readPolicyFile(named);
    faults.push(...found);
    return { policy, origin: flags.policy === undefined ? 'environment' : 'flag' };
  }
  const axes = { horizonsHours: HORIZONS_HOURS, confidences: CONFIDENCES };
  const { policy, faults: found } = policyFromInput(file.policy, axes);
  faults.push(...found.map((fault) => `${path}: ${fault}`));
  return { policy, origin: file.policy === undefined ? 'default' : 'file' };
}

function strongest(
  name: SettingName,
  flags: ConfigInput['flags'],
  environment: ConfigInput['environment'],
  file: Record<string, unknown>,
  path: string | undefined,
): { origin: Origin; where: string; raw: unknown } {
  const { variable, fromText, fallback } = SETTINGS[name];
  const flag = flags[name];
  if (flag !== undefined)
    return { origin: 'flag', where: `--${dashed(name)}`, raw: parseText(fromText, flag) };
  const text = environment[variable];
  if (text !== undefined && text !== '')
    return { origin: 'environment', where: variable, raw: parseText(fromText, text) };
  if (Object.hasOwn(file, name)) {
    // YAML reads a bare off as false.
    const raw = name === 'trainingSchedule' && file[name] === false ? 'off' : file[name];
    return { origin: 'file', where: `${path}: ${name}`, raw };
  }
  return { origin: 'default', where: name, raw: fallback };
}

function parseText(fromText: Setting['fromText'], text: string): unknown {
  return fromText(text.trim());
}

function describe(where: string, raw: unknown, issue: z.core.$ZodIssue): string {
  const at = issue.path.length === 0 ? '' : `.${issue.path.join('.')}`;
  const isPlain = typeof raw === 'string' || typeof raw === 'number' || typeof raw === 'boolean';
  const given = isPlain ? `${JSON.stringify(raw).slice(0, 80)} ` : '';
  return `${where}${at}: ${given}${issue.message}`;
}

function crossFaults(values: Record<string, unknown>): string[] {
  const { host, keys, identity = null, requireKeys = false, webhooks = [] } = values as Partial<Config>;
  const { role = 'all', databaseUrl } = values as Partial<Config>;
  const faults: string[] = [];
  if (role !== 'all' && databaseUrl === null)
    faults.push(`role: ${role} is one of several processes on a database; set PLIMSOLL_DATABASE_URL too`);
  const { natsUrl = null, accountPartitions = 1 } = values as Partial<Config>;
  if (role === 'accounts' && natsUrl === null)
    faults.push('role: accounts takes its accounts from streams; set PLIMSOLL_NATS_URL too');
  if (accountPartitions > 1 && natsUrl === null)
    faults.push(
      'accountPartitions: accounts are divided where they come through streams; set PLIMSOLL_NATS_URL too',
    );
  if (accountPartitions > 1 && natsUrl !== null && databaseUrl === null)
    faults.push(
      'accountPartitions: each partition has a process of its own (PLIMSOLL_ROLE=accounts), and they share a database; set PLIMSOLL_DATABASE_URL too',
    );
  // It answers nothing but probes and metrics.
  if (host === undefined || keys === undefined || role === 'train') return faults;
  if (!isLoopback(host) && keys.length === 0 && identity === null && !requireKeys) {
    faults.push(
      `host: ${host} can be reached from other machines, and no keys are configured; set PLIMSOLL_KEYS, or PLIMSOLL_REQUIRE_KEYS=true and plimsoll keys add`,
    );
  }
  const names = new Set(keys.map(({ name }) => name));
  if (names.size < keys.length) faults.push('keys: two keys have the same name');
  const hashes = new Set(keys.map(({ sha256 }) => sha256));
  if (hashes.size < keys.length) faults.push('keys: two names have the same key');
  if (new Set(webhooks.map(({ name }) => name)).size < webhooks.length)
    faults.push('webhooks: two have the same name');
  return faults;
}

function unknownVariable(variable: string): string[] {
  if (!variable.startsWith('PLIMSOLL_')) return [];
  const variables: string[] = [
    ...NAMES.map((name) => SETTINGS[name].variable),
    ...Object.values(FILE_VARIABLES),
  ];
  return variables.includes(variable) ? [] : [`${variable}: is not known${didYouMean(variable, variables)}`];
}

function unknownName(where: string, name: string): string {
  return `${where}: is not known${didYouMean(name, [...NAMES, 'policy'])}`;
}

function dashed(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function configInvalid(faults: readonly string[]): PlimsollError {
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  return new PlimsollError(
    'CONFIG_INVALID',
    `the configuration has ${count}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    { remedy: 'Mend them; plimsoll config check shows what is in force.', details: { faults } },
  );
}
