import { z } from 'zod';

/** What signed requests carry beside their question; nothing is checked by them. */
const signature = {
  timestamp: z.string().optional(),
  recvWindow: z.string().optional(),
  signature: z.string().optional(),
};
export const binanceSymbolQuery = z.object({ symbol: z.string().optional(), ...signature });

const binanceBracketsSchema = z
  .object({
    symbol: z.string(),
    notionalCoef: z.number().min(0).optional(),
    brackets: z.array(
      z.object({
        bracket: z.number().int().min(1),
        initialLeverage: z.number().int().min(1),
        notionalCap: z.number().int(),
        notionalFloor: z.number().int(),
        maintMarginRatio: z.number().min(0).max(1),
        cum: z.number().min(0),
      }),
    ),
  })
  .meta({ id: 'BinanceBrackets' });
export type BinanceBrackets = z.infer<typeof binanceBracketsSchema>;
export const leverageBracketSchema = z.union([z.array(binanceBracketsSchema), binanceBracketsSchema]);

const never = z.array(z.never());
export const exchangeInfoSchema = z
  .object({
    timezone: z.literal('UTC'),
    serverTime: z.number().int(),
    futuresType: z.literal('U_MARGINED'),
    rateLimits: never,
    exchangeFilters: never,
    assets: z.array(
      z.object({ asset: z.string(), marginAvailable: z.literal(true), autoAssetExchange: z.literal('0') }),
    ),
    symbols: z.array(
      z.object({
        symbol: z.string(),
        pair: z.string(),
        contractType: z.enum(['PERPETUAL', 'CURRENT_QUARTER', 'NEXT_QUARTER']),
        deliveryDate: z.number().int(),
        onboardDate: z.number().int(),
        status: z.literal('TRADING'),
        maintMarginPercent: z.string(),
        requiredMarginPercent: z.string(),
        baseAsset: z.string(),
        quoteAsset: z.string(),
        marginAsset: z.string(),
        pricePrecision: z.number().int(),
        quantityPrecision: z.number().int(),
        baseAssetPrecision: z.number().int(),
        quotePrecision: z.number().int(),
        underlyingType: z.literal('COIN'),
        underlyingSubType: never,
        settlePlan: z.number().int(),
        triggerProtect: z.string(),
        filters: never,
        orderTypes: never,
        timeInForce: never,
        liquidationFee: z.string(),
        marketTakeBound: z.string(),
      }),
    ),
  })
  .meta({ id: 'BinanceExchangeInfo' });

export const symbolConfigSchema = z.array(
  z
    .object({
      symbol: z.string(),
      marginType: z.literal('CROSSED'),
      isAutoAddMargin: z.literal('false'),
      leverage: z.number().int().min(0),
      maxNotionalValue: z.string(),
    })
    .meta({ id: 'BinanceSymbolConfig' }),
);
