import { z } from 'zod';
import { BOUND_NAMES } from '../limits/types.ts';
import { published, shockProbability, symbolSchema, timeSchema } from './schemas.ts';

/** Prices are decimal strings wherever somebody may count with them; here they are drawn. */
const chartPrice = z.number().min(0).describe('A number, because it is for charts.');
const leverage = z.number().min(1);

export const overviewSchema = z
  .object({
    ...published,
    reasons: z.array(z.string()),
    model: z.string().nullable(),
    total: z.number().int().min(0),
    times: z
      .array(timeSchema)
      .max(84)
      .describe(
        'Of `leverage` and `closes`, oldest first: the last week. A value is of the newest bar that closed by its time and after the one before.',
      ),
    markets: z.array(
      z.object({
        symbol: symbolSchema,
        maxLeverage: leverage,
        dayAgoMaxLeverage: leverage.nullable(),
        bindingBound: z.enum(BOUND_NAMES),
        shockProbability,
        quality: z.enum(['accept', 'degrade', 'reject']),
        move: z.enum(['initial', 'tighten', 'loosen', 'hold']),
        asOf: timeSchema,
        simulated: z.boolean(),
        frozen: z.boolean().describe('By people, at the time of the answer.'),
        overridden: z.boolean().describe('By people, at the time of the answer.'),
        close: chartPrice.nullable(),
        dayAgoClose: chartPrice.nullable(),
        leverage: z.array(leverage.nullable()).describe('Null where no decision of that time is known.'),
        closes: z.array(chartPrice.nullable()).describe('Null where no bar of that time was read.'),
      }),
    ),
  })
  .meta({ id: 'Overview' });
