import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SHIPPED_MODELS } from '../program.ts';
import { type Call, OPERATOR } from './test-service.ts';

export const SHIPPED_CHAMPION: string = JSON.parse(
  readFileSync(join(SHIPPED_MODELS, 'aliases.json'), 'utf8'),
).champion;

/** Requests of tests that go through all routes. */
export const ORDER = { userId: 'user-17', symbol: 'BTCUSDT', side: 'long', notional: '25000', leverage: 5 };

/** At a mark of 100 it has to reduce. */
export const ACCOUNT = {
  accountId: 'a-1',
  userId: 'user-17',
  marginMode: 'cross',
  equity: '6',
  positions: [{ symbol: 'BTCUSDT', side: 'long', quantity: '5', entryPrice: '100' }],
};

/** One request to each route, by operation. */
export const EXAMPLES: Readonly<Record<string, readonly [path: string, call?: Call]>> = {
  getMarkets: ['/v1/markets'],
  getLimits: ['/v1/limits'],
  getBrackets: ['/v1/markets/BTCUSDT/brackets'],
  explainMarket: ['/v1/markets/BTCUSDT/explain'],
  getHistory: ['/v1/markets/BTCUSDT/history'],
  getForecast: ['/v1/markets/BTCUSDT/forecast'],
  getSensitivity: ['/v1/markets/BTCUSDT/sensitivity'],
  getOverview: ['/v1/overview'],
  getTrack: ['/v1/markets/BTCUSDT/track'],
  putUser: ['/v1/users/user-1', { method: 'PUT', headers: OPERATOR, body: { maxLeverage: 5 } }],
  getUser: ['/v1/users/user-1'],
  getUserPolicy: ['/v1/user-policy'],
  getCaps: ['/v1/users/user-17/caps'],
  checkOrder: ['/v1/checks', { method: 'POST', body: ORDER }],
  simulateMargin: ['/v1/margin/simulate', { method: 'POST', body: { account: ACCOUNT } }],
  getChanges: ['/v1/changes'],
  requestOverride: [
    '/v1/overrides',
    {
      method: 'POST',
      headers: OPERATOR,
      body: { symbol: 'BTCUSDT', maxLeverage: 2, reason: 'a test', hours: 1 },
    },
  ],
  settleOverride: [
    '/v1/approvals/override-1',
    { method: 'POST', headers: OPERATOR, body: { decision: 'withdraw', reason: 'tested' } },
  ],
  freeze: [
    '/v1/freeze',
    { method: 'POST', headers: OPERATOR, body: { symbol: 'BTCUSDT', reason: 'a test' } },
  ],
  thaw: ['/v1/freeze?symbol=BTCUSDT&reason=tested', { method: 'DELETE', headers: OPERATOR }],
  declareEmergency: [
    '/v1/emergency',
    { method: 'POST', headers: OPERATOR, body: { reason: 'a test', hours: 1 } },
  ],
  endEmergency: ['/v1/emergency?reason=tested', { method: 'DELETE', headers: OPERATOR }],
  postPrices: [
    '/v1/prices',
    {
      method: 'POST',
      headers: { ...OPERATOR, 'content-type': 'application/x-ndjson' },
      body: '{"symbol":"BTCUSDT","price":"0","time":"2024-06-01T00:00:00Z"}\n',
    },
  ],
  postMarketActivity: [
    '/v1/market-activity',
    {
      method: 'POST',
      headers: { ...OPERATOR, 'content-type': 'application/x-ndjson' },
      body: '{"symbol":"BTCUSDT","openInterest":"5612345678.9","depth":{"bandRatePpm":1000,"quoteNotional":"12500000"},"observedAt":"2024-06-01T00:00:00Z"}\n{"symbol":"BTCUSDT","openInterest":"0","observedAt":"2024-06-01T00:00:00Z"}\n',
    },
  ],
  postAccounts: [
    '/v1/accounts/batch',
    {
      method: 'POST',
      headers: { ...OPERATOR, 'content-type': 'application/x-ndjson' },
      body: `${JSON.stringify(ACCOUNT)}\nno account\n`,
    },
  ],
  putAccount: ['/v1/accounts/a-1', { method: 'PUT', headers: OPERATOR, body: ACCOUNT }],
  getMargin: ['/v1/accounts/a-1/margin'],
  getInterventions: ['/v1/interventions'],
  getSystem: ['/v1/system'],
  postStress: ['/v1/stress', { method: 'POST', body: { move: -0.2, moves: { BTCUSDT: -0.3 } } }],
  getModels: ['/v1/models'],
  getModel: [`/v1/models/${SHIPPED_CHAMPION}`],
  promoteModel: [
    '/v1/models/20240101-0a1b2c3d/promote',
    { method: 'POST', headers: OPERATOR, body: { reason: 'a test' } },
  ],
  getCoverage: ['/v1/coverage'],
  getTrainingRuns: ['/v1/training/runs'],
  getAudit: ['/v1/audit'],
  getAuditEntry: ['/v1/audit/1'],
  binanceLeverageBracket: ['/fapi/v1/leverageBracket?symbol=BTCUSDT'],
  binanceExchangeInfo: ['/fapi/v1/exchangeInfo'],
  binanceSymbolConfig: ['/fapi/v1/symbolConfig'],
  binanceCoins: ['/sapi/v1/capital/config/getall'],
  binanceMarginPairs: ['/sapi/v1/margin/allPairs'],
  bybitRiskLimit: ['/v5/market/risk-limit?category=linear'],
  bybitInstrumentsInfo: ['/v5/market/instruments-info?category=linear'],
  bybitPositionList: ['/v5/position/list?category=linear&symbol=BTCUSDT'],
  bybitCoinInfo: ['/v5/asset/coin/query-info'],
  okxPositionTiers: ['/api/v5/public/position-tiers?instType=SWAP&tdMode=cross&uly=BTC-USDT'],
  okxInstruments: ['/api/v5/public/instruments?instType=SWAP'],
  okxLeverageInfo: ['/api/v5/account/leverage-info?instId=BTC-USDT-SWAP&mgnMode=cross'],
  okxCurrencies: ['/api/v5/asset/currencies'],
  getLiveness: ['/livez'],
  getReadiness: ['/readyz'],
};

/** Fields that the contract names, by operation; `a[].b` is a field of the first item. */
const BRACKET =
  'bracket notionalFloor notionalCap maxLeverage initialMarginRatePpm maintenanceMarginRatePpm maintenanceAmount';
export const CONTRACT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  getBrackets: {
    '': 'symbol version hash decidedAt effectiveAt validUntil degraded simulated brackets',
    brackets: BRACKET,
  },
  getLimits: {
    '': 'version hash previousHash decidedAt effectiveAt validUntil degraded simulated total markets',
    markets: 'symbol maxLeverage bindingBound shockProbability brackets',
    'markets.shockProbability': 'long short',
    'markets.brackets': BRACKET,
  },
  explainMarket: {
    '': 'symbol version bindingBound reasons bounds governor model',
    bounds: 'name maxLeverage available evidence version',
  },
  getForecast: {
    '': 'symbol asOf model forecasts shockProbability tails',
    forecasts: 'side horizonHours confidence valueAtRisk expectedShortfall',
    tails: 'side horizonHours confidence tailIndex',
    shockProbability: 'side horizonHours threshold probability',
  },
  getSensitivity: {
    '': 'symbol version asOf horizonHours points',
    points: 'leverage side liquidationProbability badDebtRatio',
  },
  getMargin: {
    '': 'accountId status equity effectiveLeverage initialMargin maintenanceMargin marginRatio availableBalance positions plan version',
    effectiveLeverage: 'gross net',
    positions: 'symbol side notional liquidationPrice bankruptcyPrice liquidationProbability',
    plan: 'symbol reduceNotional reason',
  },
  getCaps: {
    '': 'userId version caps',
    caps: 'symbol maxLeverage maxNotional initialMarginRatePpm bindingReason reasons',
  },
  simulateMargin: {
    '': 'accountId status equity effectiveLeverage initialMargin maintenanceMargin marginRatio availableBalance positions plan version',
    effectiveLeverage: 'gross net betaWeighted',
    positions: 'symbol side notional liquidationPrice bankruptcyPrice liquidationProbability',
    plan: 'symbol reduceNotional reason',
  },
  checkOrder: {
    '': 'allowed maxLeverage maxNotional clampedLeverage clampedNotional reasons version',
  },
};
