import { z } from 'zod';
import { bybitRefusalSchema } from './bybit-refusal.ts';

const text = z.string().optional();
export const riskLimitQuery = z.object({ category: text, symbol: text, cursor: text });
export const instrumentsInfoQuery = riskLimitQuery.extend({ status: text, baseCoin: text, limit: text });
export const positionListQuery = z.object({ category: text, symbol: text });

export const BYBIT_CATEGORIES = ['linear', 'inverse', 'spot', 'option'] as const;
export type BybitCategory = (typeof BYBIT_CATEGORIES)[number];

function answerOf<T extends z.ZodType>(result: T) {
  return z.union([
    z.object({
      retCode: z.literal(0),
      retMsg: z.literal('OK'),
      result,
      retExtInfo: z.strictObject({}),
      time: z.number().int(),
    }),
    bybitRefusalSchema,
  ]);
}

function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ category: z.enum(BYBIT_CATEGORIES), list: z.array(item), nextPageCursor: z.string() });
}

const riskLimitSchema = z
  .object({
    id: z.number().int().min(1),
    symbol: z.string(),
    riskLimitValue: z.string(),
    maintenanceMargin: z.string(),
    initialMargin: z.string(),
    isLowestRisk: z.union([z.literal(0), z.literal(1)]),
    maxLeverage: z.string(),
    mmDeduction: z.string(),
  })
  .meta({ id: 'BybitRiskLimit' });
export type BybitRiskLimit = z.infer<typeof riskLimitSchema>;
export const riskLimitAnswer = answerOf(pageOf(riskLimitSchema));

const instrumentSchema = z
  .object({
    symbol: z.string(),
    contractType: z.literal('LinearPerpetual'),
    status: z.literal('Trading'),
    baseCoin: z.string(),
    quoteCoin: z.string(),
    launchTime: z.string(),
    deliveryTime: z.string(),
    deliveryFeeRate: z.string(),
    priceScale: z.string(),
    leverageFilter: z.object({ minLeverage: z.string(), maxLeverage: z.string(), leverageStep: z.string() }),
    priceFilter: z.object({ minPrice: z.string(), maxPrice: z.string(), tickSize: z.string() }),
    lotSizeFilter: z.object({
      maxOrderQty: z.string(),
      minOrderQty: z.string(),
      qtyStep: z.string(),
      postOnlyMaxOrderQty: z.string(),
      maxMktOrderQty: z.string(),
      minNotionalValue: z.string(),
    }),
    unifiedMarginTrade: z.boolean(),
    fundingInterval: z.number().int(),
    settleCoin: z.string(),
    copyTrading: z.literal('none'),
    upperFundingRate: z.string(),
    lowerFundingRate: z.string(),
  })
  .meta({ id: 'BybitInstrument' });
export type BybitInstrument = z.infer<typeof instrumentSchema>;
export const instrumentsInfoAnswer = answerOf(pageOf(instrumentSchema));

const positionSchema = z
  .object({
    positionIdx: z.literal(0),
    riskId: z.number().int(),
    riskLimitValue: z.string(),
    symbol: z.string(),
    side: z.literal(''),
    size: z.literal(''),
    avgPrice: z.literal(''),
    positionValue: z.literal(''),
    tradeMode: z.literal(0),
    positionStatus: z.literal(''),
    leverage: z.string(),
    markPrice: z.literal(''),
    liqPrice: z.literal(''),
    unrealisedPnl: z.literal(''),
    createdTime: z.literal(''),
    updatedTime: z.literal(''),
  })
  .meta({ id: 'BybitPosition' });
export type BybitPosition = z.infer<typeof positionSchema>;
export const positionListAnswer = answerOf(pageOf(positionSchema));

export const coinInfoAnswer = answerOf(z.object({ rows: z.array(z.never()) }));
