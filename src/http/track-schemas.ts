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

/** No chart shows more. */
const MOST_POINTS = 2000;

export const trackQuery = z.object({
  from: timeSchema.optional(),
  to: timeSchema.optional(),
  points: z.coerce.number().int().min(2).max(MOST_POINTS).default(500),
});

const loss = z.number().describe('Worst loss over the horizon, share of the price.');

export const trackSchema = z
  .object({
    symbol: symbolSchema,
    version: z.number().int().min(1),
    simulated: z.boolean(),
    horizonHours: z.number().nullable().describe('Of the newest decision; null without one.'),
    confidence: z.number().nullable().describe('Of the newest decision; null without one.'),
    from: timeSchema,
    to: timeSchema,
    intervalMilliseconds: z.number().int().describe('How long a bar of this answer is: whole hours.'),
    bars: z
      .object({
        openTime: z.array(z.number().int()),
        open: z.array(chartPrice),
        high: z.array(chartPrice),
        low: z.array(chartPrice),
        close: z.array(chartPrice),
      })
      .describe('Oldest first; times are epoch milliseconds. Where the market has no bars none are told of.'),
    decisions: z
      .array(
        z.object({
          version: z.number().int(),
          asOf: timeSchema,
          maxLeverage: leverage,
          bindingBound: z.string(),
          horizonHours: z.number(),
          confidence: z.number(),
          valueAtRisk: z.object({ long: z.number().nullable(), short: z.number().nullable() }),
          realised: z
            .object({ long: loss, short: loss })
            .nullable()
            .describe('Null until the horizon is over, and where a bar of it is missing.'),
          exceeded: z.object({ long: z.boolean().nullable(), short: z.boolean().nullable() }).nullable(),
        }),
      )
      .max(MOST_POINTS)
      .describe('Oldest first; of more than `points` those that were exceeded come before others.'),
    exceedances: z
      .object({ observations: z.number().int(), long: z.number().int(), short: z.number().int() })
      .describe('Of all decisions of the range whose horizon is over, once for each newest bar.'),
  })
  .meta({ id: 'Track' });
