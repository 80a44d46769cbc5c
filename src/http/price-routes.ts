import type { z } from 'zod';
import { type ControlReads, type MarkPrice, outcomeOf, type PriceCode } from '../control/reads.ts';
import { readLines } from './ndjson-lines.ts';
import { priceLineSchema, pricesSchema } from './price-schemas.ts';
import type { Route } from './routes.ts';

const MESSAGES: Readonly<Record<PriceCode, string>> = {
  PRICE_INVALID: 'no line of a price above 0',
  MARKET_UNKNOWN: 'there is no such market',
  PRICE_UNJUDGED: 'no bar of this market has been decided on that it could be judged by; send it again later',
  PRICE_FUTURE: 'its time is in the future',
  PRICE_STALE: 'it is too old',
  PRICE_OUT_OF_ORDER: 'a later price, or a later bar, is known',
  PRICE_REPEATED: 'it is known',
  PRICE_HELD: 'it is far from the price before; another one must confirm it',
  PRICE_IMPLAUSIBLE: 'it is too far from the price before',
};

type PriceLine = z.infer<typeof priceLineSchema>;

/** Judges lines of prices that nobody waits for. @returns those that are believed. */
export function believedPrices(prices: ControlReads['prices'], text: string, now: number): MarkPrice[] {
  const read = pricesOf(text).map(({ price }) => price);
  const codes = prices.take(read, now);
  return read.flatMap((price, i) => (price !== null && codes[i] === null ? [price] : []));
}

/** Prices between bars. */
export const PRICE_ROUTES: readonly Route[] = [
  {
    method: 'post',
    path: '/v1/prices',
    operationId: 'postPrices',
    needs: 'leader',
    scope: 'prices:write',
    touches: 'nobody',
    summary: 'Takes mark prices in, a line each; those out of bounds tighten their market at once',
    line: priceLineSchema,
    answer: pricesSchema,
    handle: async ({ reads, clock }, { body }) => {
      const lines = pricesOf(body);
      const codes = reads.prices.take(
        lines.map(({ price }) => price),
        clock.now(),
      );
      // Only what is believed reaches accounts: a price that waits for another never liquidates anybody.
      await reads.accounts.mark(
        lines.flatMap(({ price }, i) => (price !== null && codes[i] === null ? [price] : [])),
      );
      const counts = { ignored: 0, held: 0, refused: 0 };
      const without = lines.flatMap(({ line, price, fault }, i) => {
        const code = codes[i];
        if (code === null) return [];
        const outcome = outcomeOf(code);
        counts[outcome]++;
        return [{ line, symbol: price?.symbol ?? null, outcome, code, message: fault ?? MESSAGES[code] }];
      });
      return {
        status: 200,
        json: { total: lines.length, accepted: lines.length - without.length, ...counts, lines: without },
      };
    },
  },
];

function pricesOf(body: unknown) {
  return readLines(body, priceLineSchema).map(({ value, ...rest }) => ({
    ...rest,
    price: value === null ? null : priceOf(value),
  }));
}

/** A price of zero is read, and refused by whoever judges it. */
function priceOf({ symbol, price, time }: PriceLine): MarkPrice {
  return { symbol, price: Number(price), at: Date.parse(time) };
}
