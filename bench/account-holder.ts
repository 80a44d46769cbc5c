import { OPERATOR, TestService } from '../src/http/test-service.ts';

export const MARKETS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];

/** A service with one account of three positions, in markets that move together: what the benchmarks of checks ask about. */
export async function serviceWithAccount(): Promise<TestService> {
  const service = await TestService.start();
  const matrix = Float64Array.from({ length: 9 }, (_, i) => (i % 4 === 0 ? 1 : 0.7));
  service.plane.correlated({ asOf: 0, markets: MARKETS, matrix });
  await service.put('/v1/accounts/holder', ACCOUNT, OPERATOR);
  return service;
}

export const ACCOUNT = {
  ...{ accountId: 'holder', userId: 'holder', marginMode: 'cross', equity: '100000' },
  positions: MARKETS.map((symbol, i) => {
    return { symbol, side: i === 1 ? 'short' : 'long', quantity: '10', entryPrice: '100' };
  }),
};
