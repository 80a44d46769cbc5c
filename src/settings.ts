import { isIP } from 'node:net';
import { validate as isCronExpression } from 'node-cron';
import { z } from 'zod';
import type { GatePolicy } from '../training/judge/gate-policy.ts';
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
import type { Policy } from './limits/policy.ts';

export interface ConfiguredWebhook {
  readonly name: string;
  readonly url: string;
  /** Both sides sign and verify with it. */
  readonly secret: string;
  readonly kinds: readonly FeedKind[];
}

/**
 * `all`: one process does everything. `decide`: one of several that may lead. `serve`: answers and follows. `accounts`: keeps a
 * partition of the accounts, answers and follows. `train`: makes pieces of trainings.
 */
export const PROCESS_ROLES = ['all', 'serve', 'decide', 'accounts', 'train'] as const;
export type ProcessRole = (typeof PROCESS_ROLES)[number];

export interface Config {
  readonly dataDir: string;
  /** PostgreSQL that several processes share; null for the file of the data folder. Secret: it has a password. */
  readonly databaseUrl: string | null;
  /** What this process does where there is a database. */
  readonly role: ProcessRole;
  /** NATS with JetStream that accounts and prices come through; null to take them by HTTP alone. Secret: it may have a password. */
  readonly natsUrl: string | null;
  /** File of the NATS user's credentials; null without. */
  readonly natsCredentials: string | null;
  /** Begins the name of every stream, subject and bucket. */
  readonly natsPrefix: string;
  /** Copies of each stream in a NATS cluster. */
  readonly natsReplicas: number;
  /** Fixed when the streams are first made. */
  readonly accountPartitions: number;
  /** Of this process among those that keep accounts, or among the workers of its machine; null for one that it finds by itself. */
  readonly workerName: string | null;
  readonly host: string;
  readonly port: number;
  /** A socket that listens already, handed over by whoever started this process; null to open one. */
  readonly listenDescriptor: number | null;
  /** Told to end, the service answers for so long as before, and says that it is not ready. */
  readonly drainSeconds: number;
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
  /** Collector of spans, OTLP over HTTP; null for none. */
  readonly traceEndpoint: string | null;
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

export type SettingName = Exclude<keyof Config, 'policy' | 'gates'>;
export interface Setting {
  readonly variable: string;
  readonly schema: z.ZodType;
  readonly fallback: unknown;
  /** From the text of a flag or of an environment variable to what the schema takes. */
  readonly fromText: (text: string) => unknown;
  readonly meaning: string;
  /** Its value is in no message. */
  readonly isSecret?: boolean;
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

function isDatabaseUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null && /^postgres(ql)?:$/.test(url.protocol) && url.hostname !== '' && url.pathname.length > 1
  );
}

function isNatsUrl(text: string): boolean {
  return text.split(',').every((one) => {
    const url = URL.parse(one.trim());
    return url !== null && /^(nats|tls):$/.test(url.protocol) && url.hostname !== '';
  });
}

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
  databaseUrl: {
    variable: 'PLIMSOLL_DATABASE_URL',
    schema: z
      .string()
      .refine(isDatabaseUrl, 'must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE')
      .nullable(),
    fallback: null,
    fromText: asIs,
    meaning: 'PostgreSQL that several processes share; without it state is a file of the data folder',
    isSecret: true,
  },
  role: {
    variable: 'PLIMSOLL_ROLE',
    schema: z.enum(PROCESS_ROLES),
    fallback: 'all',
    fromText: asIs,
    meaning:
      'all, or one of several processes on a database: serve answers, decide decides and answers, accounts keeps accounts and answers, train trains',
  },
  natsUrl: {
    variable: 'PLIMSOLL_NATS_URL',
    schema: z
      .string()
      .refine(isNatsUrl, 'must be nats://USER:PASSWORD@HOST:PORT, or tls://; several separated by commas')
      .nullable(),
    fallback: null,
    fromText: asIs,
    meaning: 'NATS with JetStream that accounts and prices come through; without it they come by HTTP alone',
    isSecret: true,
  },
  natsCredentials: {
    variable: 'PLIMSOLL_NATS_CREDENTIALS',
    schema: z.string().min(1, 'must name a file').nullable(),
    fallback: null,
    fromText: asIs,
    meaning: "file of the NATS user's credentials (.creds)",
  },
  natsPrefix: {
    variable: 'PLIMSOLL_NATS_PREFIX',
    schema: z.string().regex(/^[\w-]{1,32}$/, 'must be 1 to 32 letters, digits, _ or -'),
    fallback: 'plimsoll',
    fromText: asIs,
    meaning: 'begins the name of every stream, subject and bucket on NATS',
  },
  natsReplicas: {
    variable: 'PLIMSOLL_NATS_REPLICAS',
    schema: z.number('must be a number').int().min(1).max(5),
    fallback: 1,
    fromText: asNumber,
    meaning: 'copies of each stream in a NATS cluster: 3 survive the loss of a server',
  },
  accountPartitions: {
    variable: 'PLIMSOLL_ACCOUNT_PARTITIONS',
    schema: z.number('must be a number').int().min(1).max(256),
    fallback: 1,
    fromText: asNumber,
    meaning:
      'parts that the accounts are divided into, a process each; fixed when the streams are first made',
  },
  workerName: {
    variable: 'PLIMSOLL_WORKER_NAME',
    schema: z
      .string()
      .regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -')
      .nullable(),
    fallback: null,
    fromText: asIs,
    meaning:
      'what this process is called among those that keep accounts, or among the workers of its machine',
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
  listenDescriptor: {
    variable: 'PLIMSOLL_LISTEN_DESCRIPTOR',
    schema: z.number('must be a number').int().min(3).max(1023).nullable(),
    fallback: null,
    fromText: asNumber,
    meaning: 'number of an inherited socket that listens already, in place of host and port',
  },
  drainSeconds: {
    variable: 'PLIMSOLL_DRAIN_SECONDS',
    schema: z.number('must be a number').min(0).max(300),
    fallback: 0,
    fromText: asNumber,
    meaning: 'told to end, the service answers for so long as before and says that it is not ready',
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
  traceEndpoint: {
    variable: 'PLIMSOLL_TRACE_ENDPOINT',
    schema: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).nullable(),
    fallback: null,
    fromText: asIs,
    meaning: 'OpenTelemetry collector (OTLP over HTTP) that is sent spans of requests and decisions',
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
