import { z } from 'zod';
import { okxRefusalSchema } from './okx-refusal.ts';

const text = z.string().optional();
export const positionTiersQuery = z.object({
  instType: text,
  tdMode: text,
  uly: text,
  instFamily: text,
  instId: text,
  tier: text,
});
export const instrumentsQuery = z.object({ instType: text, uly: text, instFamily: text, instId: text });
export const leverageInfoQuery = z.object({ instId: text, mgnMode: text });

export const OKX_INSTRUMENT_TYPES = ['SPOT', 'MARGIN', 'SWAP', 'FUTURES', 'OPTION'] as const;
export const OKX_MARGIN_MODES = ['cross', 'isolated'] as const;

function answerOf<T extends z.ZodType>(item: T) {
  return z.union([
    z.object({ code: z.literal('0'), msg: z.literal(''), data: z.array(item) }),
    okxRefusalSchema,
  ]);
}

const tierSchema = z
  .object({
    uly: z.string(),
    instFamily: z.string(),
    instId: z.literal(''),
    tier: z.string(),
    minSz: z.string(),
    maxSz: z.string(),
    mmr: z.string(),
    imr: z.string(),
    maxLever: z.string(),
    optMgnFactor: z.literal('0'),
    quoteMaxLoan: z.literal(''),
    baseMaxLoan: z.literal(''),
  })
  .meta({ id: 'OkxPositionTier' });
export type OkxPositionTier = z.infer<typeof tierSchema>;
export const positionTiersAnswer = answerOf(tierSchema);

const instrumentSchema = z
  .object({
    instType: z.literal('SWAP'),
    instId: z.string(),
    uly: z.string(),
    instFamily: z.string(),
    category: z.literal('1'),
    baseCcy: z.literal(''),
    quoteCcy: z.literal(''),
    settleCcy: z.string(),
    ctVal: z.string(),
    ctMult: z.literal('1'),
    ctValCcy: z.string(),
    ctType: z.enum(['linear', 'inverse']),
    optType: z.literal(''),
    stk: z.literal(''),
    listTime: z.string(),
    expTime: z.literal(''),
    lever: z.string(),
    tickSz: z.string(),
    lotSz: z.literal('1'),
    minSz: z.literal('1'),
    alias: z.literal(''),
    state: z.literal('live'),
    ruleType: z.literal('normal'),
    maxLmtSz: z.string(),
    maxMktSz: z.string(),
    maxTwapSz: z.string(),
    maxIcebergSz: z.string(),
    maxTriggerSz: z.string(),
    maxStopSz: z.string(),
  })
  .meta({ id: 'OkxInstrument' });
export type OkxInstrument = z.infer<typeof instrumentSchema>;
export const instrumentsAnswer = answerOf(instrumentSchema);

export const leverageInfoAnswer = answerOf(
  z
    .object({
      ccy: z.literal(''),
      instId: z.string(),
      mgnMode: z.enum(OKX_MARGIN_MODES),
      posSide: z.literal('net'),
      lever: z.string(),
    })
    .meta({ id: 'OkxLeverageInfo' }),
);

export const currenciesAnswer = answerOf(z.never());
