import { z } from 'zod';
import { BOUND_NAMES } from '../limits/types.ts';
import { sizeFormSchema } from './size-form.ts';

/**
 * The shapes of every request and answer: what validates is what the OpenAPI document says. Money and quantities are
 * decimal strings, rates are whole parts per million, times are ISO 8601 UTC, probabilities are from 0 to 1.
 */
export const symbolSchema = z
  .string()
  .regex(/^[A-Z0-9_]{2,30}$/, 'a market is 2 to 30 capital letters, digits and _')
  .meta({ id: 'Symbol', example: 'BTCUSDT' });
export const userIdSchema = z
  .string()
  .regex(/^[\w.:-]{1,64}$/, 'an id is 1 to 64 letters, digits and _ . : -')
  .meta({ id: 'UserId', example: 'user-17' });
export const decimalSchema = z
  .string()
  .regex(/^\d{1,15}(\.\d{1,12})?$/, 'a plain decimal string such as "25000" or "0.5"')
  .meta({ id: 'Decimal', example: '25000' });
/** Exact; money and notionals have at most 8 decimals, prices and quantities as many as they need. */
export const amountSchema = z
  .string()
  .regex(/^-?\d{1,40}(\.\d{1,22})?$/)
  .meta({ id: 'Amount', example: '-448192.88514' });
export const timeSchema = z.iso
  .datetime({ offset: true })
  .meta({ id: 'Time', example: '2024-12-31T23:00:00.000Z' });
export const ppm = z.number().int().min(0).max(1_000_000);
const probability = z.number().min(0).max(1);
export const side = z.enum(['long', 'short']);
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const bracketSchema = z
  .object({
    bracket: z.number().int().min(1),
    notionalFloor: decimalSchema,
    notionalCap: decimalSchema,
    maxLeverage: z.number().min(1),
    initialMarginRatePpm: ppm,
    maintenanceMarginRatePpm: ppm,
    maintenanceAmount: decimalSchema,
  })
  .meta({ id: 'Bracket' });

export const published = {
  version: z.number().int().min(1),
  hash: sha256,
  decidedAt: timeSchema,
  effectiveAt: timeSchema,
  validUntil: timeSchema,
  degraded: z.boolean(),
  simulated: z.boolean(),
};

/** `brackets` is what new orders are held to, `maintenance` what open positions are held to, now and announced. */
const tables = {
  brackets: z.array(bracketSchema),
  maintenance: z.array(bracketSchema),
  announced: z.array(
    z.object({ effectiveAt: timeSchema, announcedAt: timeSchema, brackets: z.array(bracketSchema) }),
  ),
};

export const bracketsSchema = z
  .object({ symbol: symbolSchema, ...published, ...tables, form: sizeFormSchema.optional() })
  .meta({ id: 'Brackets' });

/** Null where no forecast tells. */
export const shockProbability = z.object({ long: probability.nullable(), short: probability.nullable() });

export const limitsSchema = z
  .object({
    ...published,
    previousHash: sha256,
    asOf: timeSchema,
    model: z.string().nullable(),
    policyHash: sha256,
    inputsHash: sha256,
    reasons: z.array(z.string()),
    total: z.number().int().min(0),
    markets: z.array(
      z.object({
        symbol: symbolSchema,
        maxLeverage: z.number().min(1),
        bindingBound: z.enum(BOUND_NAMES),
        shockProbability,
        ...tables,
        openInterest: decimalSchema.nullable().describe('What is open in it; null where nobody knows.'),
        dailyVolume: decimalSchema.nullable().describe('Of a quiet day.'),
      }),
    ),
  })
  .meta({ id: 'Limits' });

export const marketsSchema = z
  .object({
    ...published,
    total: z.number().int().min(0),
    markets: z.array(
      z.object({
        symbol: symbolSchema,
        maxLeverage: z.number().min(1),
        notionalCap: decimalSchema,
        bindingBound: z.enum(BOUND_NAMES),
        shockProbability,
        quality: z.enum(['accept', 'degrade', 'reject']),
        asOf: timeSchema,
        simulated: z.boolean(),
        reasons: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: 'Markets' });

/** What people hold a market to, in force at the time of the answer. */
const held = { reason: z.string(), by: z.string(), since: timeSchema };
const governanceSchema = z
  .object({
    freeze: z
      .object({ ...held, id: z.string(), allMarkets: z.boolean(), expiresAt: timeSchema.nullable() })
      .nullable(),
    override: z
      .object({
        ...held,
        id: z.string(),
        maxLeverage: z.number(),
        mayLoosen: z.boolean(),
        approvedBy: z.string().nullable(),
        expiresAt: timeSchema,
      })
      .nullable(),
    emergency: z.object({ ...held, expiresAt: timeSchema }).nullable(),
  })
  .meta({ id: 'Governance' });

export const explainSchema = z
  .object({
    symbol: symbolSchema,
    ...published,
    asOf: timeSchema,
    bindingBound: z.enum(BOUND_NAMES),
    reasons: z.array(z.string()),
    bounds: z.array(
      z.object({
        name: z.enum(BOUND_NAMES),
        maxLeverage: z.number().nullable(),
        available: z.boolean(),
        unavailableReason: z.string(),
        evidence: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
        version: z.string(),
        ratioToBinding: z.number().nullable(),
        ratioToPublished: z.number().nullable(),
      }),
    ),
    governor: z.object({
      move: z.enum(['initial', 'tighten', 'loosen', 'hold']),
      previousMaxLeverage: z.number().nullable(),
      targetMaxLeverage: z.number(),
      publishedMaxLeverage: z.number(),
      changedAt: timeSchema,
      looseningAllowedAt: timeSchema,
      paced: z.boolean().optional(),
      emergency: z.object({ reason: z.string(), declaredBy: z.string() }).optional(),
      frozen: z
        .object({ id: z.string(), reason: z.string(), frozenBy: z.string(), frozenAt: timeSchema })
        .optional(),
    }),
    governance: governanceSchema,
    model: z.object({
      id: z.string(),
      shockModel: z.string().nullable(),
      policyHash: sha256,
      inputsHash: sha256,
    }),
  })
  .meta({ id: 'Explain' });

/** By leverage: what a position of the smallest bracket, opened now, has to expect. */
export const sensitivitySchema = z
  .object({
    symbol: symbolSchema,
    version: z.number().int(),
    asOf: timeSchema,
    simulated: z.boolean(),
    horizonHours: z.number(),
    points: z.array(
      z.object({
        leverage: z.number().min(1),
        side,
        liquidationProbability: probability,
        badDebtRatio: z.number().min(0),
      }),
    ),
  })
  .meta({ id: 'Sensitivity' });

export const forecastSchema = z
  .object({
    symbol: symbolSchema,
    version: z.number().int(),
    asOf: timeSchema,
    model: z.string(),
    simulated: z.boolean(),
    forecasts: z.array(
      z.object({
        side,
        horizonHours: z.number(),
        confidence: z.number(),
        valueAtRisk: z.number().min(0),
        expectedShortfall: z.number().min(0),
      }),
    ),
    shockProbability: z.array(
      z.object({ side, horizonHours: z.number(), threshold: z.number().min(0), probability }),
    ),
    tails: z
      .array(
        z.object({
          side,
          horizonHours: z.number(),
          confidence: z.number(),
          tailIndex: z.number().min(0).max(1),
        }),
      )
      .describe(
        'Beyond this confidence P(excursion > x) = (1 − confidence) (x / valueAtRisk)^(−1 / tailIndex).',
      ),
  })
  .meta({ id: 'Forecast' });

export const historySchema = z
  .object({
    symbol: symbolSchema,
    total: z.number().int(),
    changes: z.array(
      z.object({
        version: z.number().int(),
        decidedAt: timeSchema,
        effectiveAt: timeSchema,
        maxLeverage: z.number(),
        bindingBound: z.string(),
        move: z.string(),
        reasons: z.array(z.string()),
        hash: sha256,
      }),
    ),
  })
  .meta({ id: 'History' });

/** How many rows an answer may have. */
export const limitQuery = z.coerce.number().int().min(1).max(1000).default(100);

export const readinessSchema = z
  .object({
    ready: z.boolean(),
    degraded: z.boolean(),
    reasons: z.array(z.string()),
    version: z.number().int().nullable(),
    dataAsOf: timeSchema.nullable(),
    lastDecisionAt: timeSchema.nullable(),
    /** Whether this process decides; others of the same database follow it. */
    leads: z.boolean(),
  })
  .meta({ id: 'Readiness' });

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    detail: z.string(),
    remedy: z.string().optional(),
    instance: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });
