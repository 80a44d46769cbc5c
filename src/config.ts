import { isIP } from 'node:net';
import { validate as isCronExpression } from 'node-cron';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { type GatePolicy, gatePolicyFromInput } from '../training/judge/gate-policy.ts';
import { ROLES } from './control/access/roles.ts';
import {
  type ConfiguredKey,
  type IdentitySettings,
  identitySchema,
  keySchema,
  type RateLimits,
  rateLimitsOfText,
  rateLimitsSchema,
} from './control/access/settings.ts';
import { FEED_KINDS, type FeedKind } from './control/feed/feed-event.ts';
import { PlimsollError } from './errors.ts';
import { CONFIDENCES, HORIZONS_HOURS } from './forecast/predictor.ts';
import type { Policy } from './limits/policy.ts';
import { policyFromInput } from './limits/policy-input.ts';
import { readPolicyFile, readSettingsText } from './policy-file.ts';
import { didYouMean } from './spelling.ts';

/** Where a value came from, strongest first. */
export type Origin = 'flag' | 'environment' | 'file' | 'default';

export interface ConfiguredWebhook {
  readonly name: string;
  readonly url: string;
  /** Both sides sign and verify with it. */
  readonly secret: string;
  readonly kinds: readonly FeedKind[];
}

export interface Config {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent';
  /** How often the service looks for new bars, seconds. */
  readonly decisionIntervalSeconds: number;
  /** Cron expression in UTC, or null for no scheduled training. */
  readonly trainingSchedule: string | null;
  /** Least hours between the start of a training and one that coverage, drift or a new market triggers; 0 for none. */
  readonly trainingTriggerHours: number;
  /** A training that the service started is ended after this many minutes. */
  readonly trainingLimitMinutes: number;
  /** What books were decided from is kept for so many days; 0 for always. */
  readonly inputsKeptDays: number;
  /** Whether simulated markets are made where nothing has been imported. */
  readonly sampleMarket: boolean;
  /** Markets with metrics of their own. */
  readonly watchList: readonly string[];
  /** Reads need a key from the start, also before there is one. */
  readonly requireKeys: boolean;
  /** None, and none stored: loopback only, reads open, writes by the operator key of the data folder. */
  readonly keys: readonly ConfiguredKey[];
  /** Requests a second of one key, by its role; 0 for no limit. */
  readonly rateLimits: RateLimits;
  /** Whose tokens people come with; null for nobody's. */
  readonly identity: IdentitySettings | null;
  /** Receivers that are called with what happens. */
  readonly webhooks: readonly ConfiguredWebhook[];
  readonly policy: Policy;
  /** What a version must hold to be promoted. */
  readonly gates: GatePolicy;
}

export interface EffectiveConfig {
  readonly values: Config;
  readonly origins: Readonly<Record<keyof Config, Origin>>;
}

type SettingName = Exclude<keyof Config, 'policy' | 'gates'>;
/** Parts of the file that hold more than one value. */
const SECTIONS: readonly string[] = ['policy', 'gates'];

interface Setting {
  readonly variable: string;
  readonly schema: z.ZodType;
  readonly fallback: unknown;
  /** From the text of a flag or of an environment variable to what the schema takes. */
  readonly fromText: (text: string) => unknown;
  readonly meaning: string;
}

const SYMBOL = /^[A-Z0-9_]{2,30}$/;
const asIs = (text: string): string => text;
const asNumber = (text: string): unknown => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text);
const asBoolean = (text: string): unknown => ({ true: true, false: false, 1: true, 0: false })[text] ?? text;
const asJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};
const asList = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

const webhookSchema = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, dashes'),
  url: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }),
  secret: z.string().min(24, 'must have 24 characters at least').max(256),
  kinds: z.array(z.enum(FEED_KINDS)).min(1).default(['intervention']),
});

/** The one list of settings: names, variables, bounds, defaults. */
export const SETTINGS: Readonly<Record<SettingName, Setting>> = {
  dataDir: {
    variable: 'PLIMSOLL_DATA_DIR',
    schema: z.string().min(1, 'must name a folder'),
    fallback: './var',
    fromText: asIs,
    meaning: 'folder of everything that is kept',
  },
  host: {
    variable: 'PLIMSOLL_HOST',
    schema: z.string().refine((host) => host === 'localhost' || isIP(host) !== 0, 'must be an IP address'),
    fallback: '127.0.0.1',
    fromText: asIs,
    meaning: 'address that the service listens on',
  },
  port: {
    variable: 'PLIMSOLL_PORT',
    schema: z.number('must be a number').int().min(0).max(65_535),
    fallback: 8080,
    fromText: asNumber,
    meaning: 'port that the service listens on; 0 takes any that is free',
  },
  logLevel: {
    variable: 'PLIMSOLL_LOG_LEVEL',
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']),
    fallback: 'info',
    fromText: asIs,
    meaning: 'least important log line that is written',
  },
  decisionIntervalSeconds: {
    variable: 'PLIMSOLL_DECISION_INTERVAL_SECONDS',
    schema: z.number('must be a number').min(1).max(3600),
    fallback: 30,
    fromText: asNumber,
    meaning: 'how often the service looks for new bars',
  },
  trainingSchedule: {
    variable: 'PLIMSOLL_TRAINING_SCHEDULE',
    schema: z
      .string()
      .refine((text) => text === 'off' || isCronExpression(text), 'must be a cron expression, or off')
      .transform((text) => (text === 'off' ? null : text)),
    fallback: '17 3 * * *',
    fromText: asIs,
    meaning: 'when the model is trained anew: cron expression in UTC, or off',
  },
  trainingTriggerHours: {
    variable: 'PLIMSOLL_TRAINING_TRIGGER_HOURS',
    schema: z.number('must be a number').min(0).max(8760),
    fallback: 24,
    fromText: asNumber,
    meaning: 'least hours between trainings that lost coverage, drift or new markets trigger; 0 for none',
  },
  trainingLimitMinutes: {
    variable: 'PLIMSOLL_TRAINING_LIMIT_MINUTES',
    schema: z.number('must be a number').min(1).max(10_080),
    fallback: 120,
    fromText: asNumber,
    meaning: 'a training that the service started is ended after this many minutes',
  },
  inputsKeptDays: {
    variable: 'PLIMSOLL_INPUTS_KEPT_DAYS',
    schema: z.number('must be a number').min(0).max(36_500),
    fallback: 0,
    fromText: asNumber,
    meaning: 'days that the inputs of decisions are kept for replay; 0 keeps all',
  },
  sampleMarket: {
    variable: 'PLIMSOLL_SAMPLE_MARKET',
    schema: z.boolean('must be true or false'),
    fallback: true,
    fromText: asBoolean,
    meaning: 'simulated markets where nothing has been imported',
  },
  watchList: {
    variable: 'PLIMSOLL_WATCH_LIST',
    schema: z.array(z.string().regex(SYMBOL, 'must be a market such as BTCUSDT')).max(50),
    fallback: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'AURUSDT', 'BOREUSDT', 'MAREUSDT'],
    fromText: asList,
    meaning: 'markets with metrics of their own',
  },
  requireKeys: {
    variable: 'PLIMSOLL_REQUIRE_KEYS',
    schema: z.boolean('must be true or false'),
    fallback: false,
    fromText: asBoolean,
    meaning: 'every request needs a key from the start, also before there is one',
  },
  keys: {
    variable: 'PLIMSOLL_KEYS',
    schema: z.array(keySchema).max(1000),
    fallback: [],
    fromText: (text) =>
      asList(text).map((item) => {
        const [name, role, sha256] = item.split(':');
        return { name, role, sha256 };
      }),
    meaning: `who may call: NAME:${ROLES.join('|')}:SHA256, separated by commas`,
  },
  rateLimits: {
    variable: 'PLIMSOLL_RATE_LIMITS',
    schema: rateLimitsSchema,
    fallback: {},
    fromText: rateLimitsOfText,
    meaning:
      'most requests a second of one key, by role, and of one address: exchange=50000,reader=500; 0 for no limit',
  },
  identity: {
    variable: 'PLIMSOLL_IDENTITY',
    schema: identitySchema,
    fallback: null,
    fromText: asJson,
    meaning: 'whose tokens people come with: JSON {issuer, audience, jwksUrl or jwksFile, roleClaim, roles}',
  },
  webhooks: {
    variable: 'PLIMSOLL_WEBHOOKS',
    schema: z.array(webhookSchema).max(20),
    fallback: [],
    fromText: asJson,
    meaning: 'who is called with what happens: JSON list of {name, url, secret, kinds}',
  },
};

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
    else for (const issue of parsed.error.issues) faults.push(describe(where, raw, issue));
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

function masked(name: string, { keys, webhooks }: Config): unknown {
  if (name === 'keys') return keys.map((key) => ({ ...key, sha256: '(masked)' }));
  // An address may hold a secret of its receiver too.
  if (name === 'webhooks')
    return webhooks.map((hook) => ({ ...hook, url: new URL(hook.url).origin, secret: '(masked)' }));
  return undefined;
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
  if (host === undefined || keys === undefined) return [];
  const faults: string[] = [];
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
