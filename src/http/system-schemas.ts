import { z } from 'zod';
import { symbolSchema, timeSchema } from './schemas.ts';

/** With a sign, and as many decimals as it takes. */
const money = z.string().regex(/^-?\d+(\.\d+)?$/);
const count = z.number().int().min(0);
const share = z.number().min(0);
const ratio = z.number().min(0).nullable();
const band = z.object({ leverage: z.number(), notional: money });

export const systemSchema = z
  .object({
    asOf: timeSchema,
    accounts: count,
    unknownAccounts: count,
    leverage: z.object({
      gross: z.number(),
      net: z.number(),
      grossNotional: money,
      netNotional: money,
      equity: money,
      negativeEquity: money,
      above: z.array(band),
    }),
    total: count,
    markets: z.array(
      z.object({
        symbol: symbolSchema,
        leverage: z.number(),
        longNotional: money,
        shortNotional: money,
        longs: count,
        shorts: count,
        above: z.array(band),
        crowding: z.object({
          openInterest: money,
          volumeHours: ratio,
          depthRatio: ratio,
          fundRatio: ratio,
          holders: count,
          largestShare: share,
          tenLargestShare: share,
          herfindahl: share,
        }),
        due: z.object({ long: money, short: money }),
        liquidations: z.array(
          z.object({ move: z.number(), long: money, short: money, elsewhere: money, groups: count }),
        ),
      }),
    ),
  })
  .meta({ id: 'System' });

/** Above −1: no price falls by more than all of it. */
const move = z.number().gt(-1).max(10);

export const stressInputSchema = z
  .object({
    /** Of every market that has no move of its own, as a share of its mark. */
    move: move.default(0),
    moves: z.record(symbolSchema, move).default({}),
  })
  .meta({ id: 'StressInput', example: { move: -0.2, moves: { BTCUSDT: -0.3 } } });

export const stressSchema = z
  .object({
    scenario: z.string(),
    description: z.string(),
    basis: z.enum(['hypothetical', 'measured']),
    longLoss: money,
    shortLoss: money,
    accounts: count,
    unknownAccounts: count,
    openNotional: money,
    accountsDue: count,
    accountsFallen: count,
    accountsByContagion: count,
    soldNotional: money,
    boughtNotional: money,
    closeoutFees: money,
    equityReturned: money,
    badDebt: money,
    fundPaid: money,
    fundLeft: money,
    deleveragedNotional: money,
    deleveragedLoss: money,
    uncovered: money,
    isSettled: z.boolean(),
    rounds: z.array(
      z.object({
        accounts: count,
        accountsByContagion: count,
        soldNotional: money,
        boughtNotional: money,
        badDebt: money,
        fundLeft: money,
        deleveragedNotional: money,
      }),
    ),
    markets: z.array(
      z.object({
        symbol: symbolSchema,
        shock: z.number(),
        move: z.number(),
        mark: money,
        soldNotional: money,
        boughtNotional: money,
        badDebt: money,
        deleveragedNotional: money,
        deleveragedLoss: money,
      }),
    ),
    insuranceFund: money,
    insuranceFundAssumed: z.boolean(),
  })
  .meta({ id: 'Stress' });
