import { z } from 'zod';
import { ACTIVITY_CODES } from '../control/reads.ts';
import { decimalSchema, symbolSchema, timeSchema } from './schemas.ts';

/** One line of a batch of open interest and order-book depth. */
export const activityLineSchema = z
  .object({
    symbol: symbolSchema,
    /** All open contracts of the market, in units of the quote asset. */
    openInterest: decimalSchema.optional(),
    depth: z
      .object({
        /** How far from the middle of the book the band reaches, in millionths of the price. */
        bandRatePpm: z.number().int().min(1).max(999_999),
        /** Within the band, of the thinner side, in units of the quote asset. */
        quoteNotional: decimalSchema,
      })
      .optional(),
    observedAt: timeSchema,
  })
  .refine(
    ({ openInterest, depth }) => openInterest !== undefined || depth !== undefined,
    'open interest, depth or both are needed',
  )
  .meta({ id: 'MarketActivityLine' });

export const activityTakenSchema = z
  .object({
    /** Lines that were not empty. */
    total: z.number().int().min(0),
    accepted: z.number().int().min(0),
    ignored: z.number().int().min(0),
    refused: z.number().int().min(0),
    /** Every line that has no effect, in order. */
    lines: z.array(
      z.object({
        line: z.number().int().min(1),
        symbol: symbolSchema.nullable(),
        outcome: z.enum(['ignored', 'refused']),
        code: z.enum(ACTIVITY_CODES),
        message: z.string(),
      }),
    ),
  })
  .meta({ id: 'MarketActivityTaken' });
