import { isIP } from 'node:net';
import { validate as isCronExpression } from 'node-cron';
import { z } from 'zod';
import type { Config } from './config.ts';
import { ROLES } from './control/access/roles.ts';
import { identitySchema, keySchema, rateLimitsOfText, rateLimitsSchema } from './control/access/settings.ts';
import { FEED_KINDS } from './control/feed/feed-event.ts';

export interface Setting {
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
export const SETTINGS: Readonly<Record<Exclude<keyof Config, 'policy' | 'gates'>, Setting>> = {
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
