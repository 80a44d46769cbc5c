import { z } from 'zod';
import { PRICE_CODES } from '../control/reads.ts';
import { symbolSchema, timeSchema } from './schemas.ts';

/** One line of a batch of mark prices. */
export const priceLineSchema = z
  .object({
    symbol: symbolSchema,
    price: z
      .string()
      .regex(/^\d{1,15}(\.\d{1,18})?$/, 'a plain decimal string such as "31967.27"')
      .meta({ example: '31967.27' }),
    time: timeSchema,
  })
  .meta({ id: 'PriceLine' });

export const pricesSchema = z
  .object({
    /** Lines that were not empty. */
    total: z.number().int().min(0),
    accepted: z.number().int().min(0),
    ignored: z.number().int().min(0),
    held: z.number().int().min(0),
    refused: z.number().int().min(0),
    /** Every line that has no effect, in order. */
    lines: z.array(
      z.object({
        line: z.number().int().min(1),
        symbol: symbolSchema.nullable(),
        outcome: z.enum(['ignored', 'held', 'refused']),
        code: z.enum(PRICE_CODES),
        message: z.string(),
      }),
    ),
  })
  .meta({ id: 'PricesTaken' });
