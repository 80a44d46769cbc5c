import { expect, test } from 'vitest';
import type { AntiProcyclicalPolicy } from './bound-policy.ts';
import { canonicalJson } from './canonical-json.ts';
import { decideBook } from './decide.ts';
import { NO_GOVERNANCE } from './governance.ts';
import { context, DECIDED_AT, EXAMPLE_POLICY, forecast, HOUR, largeMarket } from './test-inputs.ts';
import type { LimitBook } from './types.ts';

const OPTIONS: readonly AntiProcyclicalPolicy['option'][] = [
  'none',
  'buffer',
  'stressedWeight',
  'longLookbackFloor',
];

/** Hours of a market of which everything is known: calm, then a storm that prices tell first, then calm again. */
function* hoursOf(option: AntiProcyclicalPolicy['option']): Generator<LimitBook> {
  const { bounds } = EXAMPLE_POLICY;
  const antiProcyclical = { ...bounds.antiProcyclical, option };
  const policy = {
    ...EXAMPLE_POLICY,
    bounds: { ...bounds, filteredUse: 'maintenance', tailUse: 'both', antiProcyclical },
  } as const;
  const override = { id: 'o1', symbol: 'BTCUSDT', maxLeverage: 40, mayLoosen: false, reason: 'r' };
  const told = { requestedBy: 'a', requestedAt: 0, approvedBy: 'b', approvedAt: 0, expiresAt: 1e14 };
  let book: LimitBook | null = null;
  for (let hour = 0; hour < 6; hour++) {
    const asOf = DECIDED_AT + hour * HOUR;
    const tail = hour === 0 || hour > 3 ? 0.02 : 0.12;
    const price = { since: asOf, referencePrice: 100, highestPrice: 101, highestAt: asOf };
    const input = largeMarket({
      asOf,
      shockModel: forecast('shock-network@test', tail),
      historical: forecast('historical@1', tail),
      antiProcyclical: forecast('floor@1', 0.015),
      openInterest: { quoteNotional: 3e9 * (1 + hour), observedAt: asOf },
      liquidity: {
        hourlyVolume: 500e6,
        dailyVolatility: 0.03,
        depth: { quoteNotional: 5e6, bandRate: 0.01, observedAt: asOf },
      },
      intrabar: { ...price, lowestPrice: hour === 2 ? 60 : 99, lowestAt: asOf },
    });
    const systemStress = {
      ...{ observedAt: asOf, leverage: 9, forcedShare: 0.1, fundUse: 0.2, accounts: 5, source: 'test' },
    };
    const governance = { ...NO_GOVERNANCE, overrides: [{ ...override, ...told }] };
    book = decideBook([input], book, context({ policy, decidedAt: asOf, governance, systemStress }));
    yield book;
  }
}

test('a market is made with its keys in canonical order, so that its text needs no sorting', () => {
  let announced = 0;
  for (const option of OPTIONS) {
    for (const { markets } of hoursOf(option)) {
      for (const market of markets) {
        expect(JSON.stringify(market)).toBe(canonicalJson(market));
        announced += market.announced?.length ?? 0;
        expect(market.bounds.filter(({ available }) => !available).map(({ name }) => name)).toEqual(
          option === 'none' ? ['antiProcyclical'] : [],
        );
      }
    }
  }
  expect(announced).toBeGreaterThan(0);
});
