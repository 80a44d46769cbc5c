import { z } from 'zod';
import { MARGIN_STATUSES } from '../accounts/margin/measure.ts';
import { REDUCTION_REASONS } from '../accounts/margin/reduction.ts';
import { CONTRACT_KINDS } from '../limits/account-policy.ts';
import { accountSchema } from './account-schemas.ts';
import { priceLineSchema } from './price-schemas.ts';
import { amountSchema, decimalSchema, symbolSchema, timeSchema, userIdSchema } from './schemas.ts';
import { capSchema } from './user-schemas.ts';

const ppm = z.number().int().min(0).max(1_000_000);
const probability = z.number().min(0).max(1);
const side = z.enum(['long', 'short']);
const status = z.enum([...MARGIN_STATUSES, 'unknown']);
/** A bracket as `/brackets` shows it; what follows from the others may be left out. */
const ownBracketSchema = z
  .object({
    bracket: z.number().int().min(1).optional(),
    notionalFloor: decimalSchema,
    notionalCap: decimalSchema,
    maxLeverage: z.number().min(1).max(1000).optional(),
    initialMarginRatePpm: ppm.optional().describe('Without it 1 / maxLeverage.'),
    maintenanceMarginRatePpm: ppm,
    maintenanceAmount: z
      .string()
      .regex(/^-?\d{1,15}(\.\d{1,12})?$/)
      .optional()
      .describe('Without it what makes maintenance margin continuous.'),
  })
  .meta({ id: 'OwnBracket' });

export const simulateInputSchema = z
  .strictObject({
    account: accountSchema,
    prices: z
      .record(symbolSchema, priceLineSchema.shape.price)
      .optional()
      .describe('Of markets without one the newest that is known is taken.'),
    brackets: z
      .record(symbolSchema, z.array(ownBracketSchema).min(1).max(100))
      .optional()
      .describe('Tables of your own. Of markets without one those in force are taken.'),
    contracts: z
      .record(symbolSchema, z.strictObject({ kind: z.enum(CONTRACT_KINDS), contractSize: decimalSchema }))
      .optional()
      .describe('Of markets without one what the policy says of their contracts is taken.'),
    betas: z
      .record(symbolSchema, z.number().min(-100).max(100))
      .optional()
      .describe('Moves of a market in moves of the whole; only betaWeighted needs them.'),
  })
  .meta({
    id: 'SimulateInput',
    example: {
      account: {
        accountId: 'a-1',
        userId: 'user-17',
        marginMode: 'cross',
        equity: '2500',
        positions: [{ symbol: 'BTCUSDT', side: 'long', quantity: '0.5', entryPrice: '32481.98' }],
      },
      prices: { BTCUSDT: '31967.27' },
    },
  });

/** What a position costs and where it ends. Null where a mark is missing. */
const positionSchema = z.object({
  symbol: symbolSchema,
  side,
  marginUnit: z.enum(['cross', 'isolated']),
  quantity: amountSchema,
  entryPrice: amountSchema,
  mark: amountSchema.nullable(),
  notional: amountSchema.nullable(),
  unrealisedProfit: amountSchema.nullable(),
  initialMargin: amountSchema.nullable(),
  maintenanceMargin: amountSchema.nullable(),
  isolatedMargin: amountSchema.nullable(),
  status: status.describe('Of its margin unit.'),
  marginRatio: z.number().nullable(),
  liquidationPrice: amountSchema.nullable(),
  bankruptcyPrice: amountSchema.nullable(),
  liquidationProbability: probability.nullable(),
  probabilityPerLeverage: z.number().nullable(),
});

export const planSchema = z.object({
  symbol: symbolSchema,
  side,
  marginUnit: z.enum(['cross', 'isolated']),
  reduceNotional: amountSchema,
  reduceQuantity: amountSchema,
  reason: z.enum(REDUCTION_REASONS),
  slices: z.array(z.object({ notional: amountSchema, afterSeconds: z.number().min(0) })),
});

/** An account's margin. Money is in the asset that the account settles in, notionals and prices in the quote asset. */
export const marginSchema = z
  .object({
    accountId: userIdSchema,
    userId: userIdSchema,
    marginMode: z.enum(['cross', 'isolated']),
    settlementAsset: z.string(),
    status,
    equity: amountSchema.nullable(),
    effectiveLeverage: z.object({
      gross: z.number().nullable(),
      net: z.number().nullable(),
      betaWeighted: z.number().nullable(),
    }),
    initialMargin: amountSchema.nullable(),
    maintenanceMargin: amountSchema.nullable(),
    marginRatio: z
      .number()
      .nullable()
      .describe('Of the worst margin unit; 1000000 at most, and where no equity is left.'),
    availableBalance: amountSchema.nullable(),
    positions: z.array(positionSchema),
    plan: z.array(planSchema),
    planIsEnough: z.boolean().describe('False where even closing everything does not reach the target.'),
    liquidationHorizonHours: z.number(),
    unpriced: z.array(symbolSchema),
    markedAt: z
      .record(z.string(), timeSchema.nullable())
      .optional()
      .describe('Of a known account: when the mark of each market that it holds was so.'),
    caps: z.array(capSchema).describe('Of the markets that have limits, at the notional held.'),
    version: z.number().int().nullable().describe('Of the limits in force; null where there are none.'),
    degraded: z.boolean(),
  })
  .meta({ id: 'Margin' });
