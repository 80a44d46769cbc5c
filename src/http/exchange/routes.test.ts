import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HOUR } from '../../limits/test-inputs.ts';
import { marketInputs, OPERATOR, OPERATOR_KEY, sha256Of, TestService } from '../test-service.ts';

const SIGNED = 'timestamp=1717200060000&recvWindow=10000&signature=00ff';
const TIERS = '/api/v5/public/position-tiers?instType=SWAP';

let service: TestService;
let empty: TestService;

beforeAll(async () => {
  [service, empty] = [await TestService.start(), await TestService.start({ books: 0 })];
});
afterAll(async () => {
  await service.stop();
  await empty.stop();
});

describe('refusals have the form and the status of the exchange', () => {
  const binance = (code: number, msg: string) => ({ code, msg });
  const bybit = (retCode: number, retMsg: string) => ({
    retCode,
    retMsg,
    result: {},
    retExtInfo: {},
    time: 1717200060000,
  });
  const okx = (code: string, msg: string) => ({ code, msg, data: [] });
  const noSymbol = binance(-1121, 'Invalid symbol.');
  const noInstrument = okx('51001', 'Instrument ID does not exist');

  test.each<[string, number, object]>([
    ['/fapi/v1/leverageBracket?symbol=NOPEUSDT', 400, noSymbol],
    ['/fapi/v1/leverageBracket?symbol=btcusdt', 400, noSymbol],
    ['/fapi/v1/symbolConfig?symbol=__proto__', 400, noSymbol],
    ['/fapi/v1/leverageBracket?symbol=', 400, binance(-1105, "Parameter 'symbol' was empty.")],
    ['/fapi/v1/ping', 404, binance(-5000, 'Path /fapi/v1/ping, Method GET is invalid')],
    ['/v5/market/risk-limit', 200, bybit(10001, 'params error: Illegal category')],
    ['/v5/market/risk-limit?category=linear&symbol=NOPE', 200, bybit(10001, 'params error: symbol invalid')],
    ['/v5/market/risk-limit?category=linear&cursor=%00', 200, bybit(10001, 'params error: cursor invalid')],
    ['/v5/market/instruments-info?category=x', 200, bybit(10001, 'params error: Illegal category')],
    [
      '/v5/market/instruments-info?category=linear&limit=1001',
      200,
      bybit(10001, 'params error: limit invalid'),
    ],
    ['/v5/position/list?category=linear', 200, bybit(10001, 'params error: symbol is required')],
    ['/v5/market/tickers', 404, bybit(404, 'Path not found')],
    [TIERS, 400, okx('50014', 'Parameter tdMode can not be empty.')],
    [`${TIERS}&tdMode=both`, 400, okx('51000', 'Parameter tdMode error')],
    [`${TIERS}&tdMode=cross`, 400, okx('50015', 'Either parameter uly or instFamily is required.')],
    [`${TIERS}&tdMode=cross&uly=NOPE-USDT`, 200, noInstrument],
    [`${TIERS}&tdMode=cross&instFamily=A,B,C,D,E,F`, 400, okx('51000', 'Parameter instFamily error')],
    ['/api/v5/public/instruments', 400, okx('50014', 'Parameter instType can not be empty.')],
    ['/api/v5/public/instruments?instType=SWAP&instId=BTC-USDT', 200, noInstrument],
    ['/api/v5/account/leverage-info?mgnMode=cross&instId=NOPE-USDT-SWAP', 200, noInstrument],
    ['/api/v5/public/time', 404, okx('404', 'Not Found')],
  ])('%s', async (path, status, json) => {
    const answer = await service.call(path);
    expect([answer.status, answer.json]).toEqual([status, json]);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test('before the first limits, so that no client takes nothing for no markets', async () => {
    const told = async (path: string) => {
      const { status, json, headers } = await empty.call(path);
      expect(headers['retry-after']).toBe('5');
      return [status, json.code ?? json.retCode];
    };
    expect(await told('/fapi/v1/leverageBracket')).toEqual([503, -1001]);
    expect(await told('/v5/market/risk-limit?category=linear')).toEqual([503, 10016]);
    expect(await told('/api/v5/public/instruments?instType=SWAP')).toEqual([503, '50001']);
  });

  test('for a parameter that is given twice and for another method', async () => {
    const twice = await service.call('/fapi/v1/leverageBracket?symbol=A&symbol=B');
    expect([twice.status, twice.json.code]).toEqual([400, -1130]);
    const post = await service.post('/fapi/v1/leverageBracket', {});
    expect([post.status, post.json.code, post.headers.allow]).toEqual([405, -5000, 'GET, HEAD']);
  });
});

describe('answers', () => {
  test('a symbol gives Binance clients an object, no symbol a list; what signs is accepted', async () => {
    const list = await service.call(`/fapi/v1/leverageBracket?${SIGNED}`);
    const one = await service.call(`/fapi/v1/leverageBracket?symbol=BTCUSDT&${SIGNED}`);
    expect(list.json.map(({ symbol }: { symbol: string }) => symbol)).toEqual([
      'AURUSDT',
      'BTCUSDT',
      'ETHUSDT',
      'RUNEUSDT',
      'SOLUSDT',
    ]);
    expect(one.json).toEqual(list.json[1]);
    expect(one.json).not.toHaveProperty('notionalCoef');
    const plain = await service.call('/fapi/v1/leverageBracket', { headers: { 'x-mbx-apikey': 'any key' } });
    expect(plain.text).toBe(list.text);
  });

  test('categories and types that are not here are empty and no errors: clients list all of them', async () => {
    for (const category of ['spot', 'inverse', 'option'])
      expect((await service.call(`/v5/market/instruments-info?category=${category}`)).json.result).toEqual({
        category,
        list: [],
        nextPageCursor: '',
      });
    const early = await service.call(
      '/v5/market/instruments-info?category=linear&limit=1000&status=PreLaunch',
    );
    expect(early.json.result.list).toEqual([]);
    for (const type of ['SPOT', 'FUTURES', 'OPTION'])
      expect((await service.call(`/api/v5/public/instruments?instType=${type}`)).json.data).toEqual([]);
  });

  test('several families of OKX, or one tier, at once', async () => {
    const both = await service.call(`${TIERS}&tdMode=isolated&instFamily=BTC-USDT,ETH-USDT`);
    const families = new Set(both.json.data.map(({ uly }: { uly: string }) => uly));
    expect([...families]).toEqual(['BTC-USDT', 'ETH-USDT']);
    const second = await service.call(`${TIERS}&tdMode=cross&uly=BTC-USDT&tier=2`);
    expect(second.json.data).toEqual([both.json.data[1]]);
  });

  test('a base coin or a symbol chooses among the instruments of Bybit', async () => {
    const base = await service.call('/v5/market/instruments-info?category=linear&baseCoin=BTC');
    const symbol = await service.call('/v5/market/instruments-info?category=linear&symbol=BTCUSDT');
    expect(base.json.result).toEqual(symbol.json.result);
    expect(base.json.result.list[0].leverageFilter.maxLeverage).toMatch(/^\d+\.\d\d$/);
  });
});

/** Made ready or for the request, told alike. */
const READS = [
  '/fapi/v1/leverageBracket',
  '/fapi/v1/leverageBracket?symbol=BTCUSDT',
  '/fapi/v1/exchangeInfo',
  '/fapi/v1/symbolConfig',
  '/v5/market/risk-limit?category=linear',
  '/v5/market/risk-limit?symbol=BTCUSDT&category=linear',
  '/v5/market/instruments-info?category=linear&limit=1000',
  '/api/v5/public/position-tiers?instType=SWAP&tdMode=cross&uly=BTC-USDT',
  '/api/v5/public/instruments?instType=SWAP',
  '/api/v5/account/leverage-info?instId=BTC-USDT-SWAP&mgnMode=cross',
];

describe.each(READS)('%s', (path) => {
  test('carries what the form has no field for, and an ETag', async () => {
    const first = await service.call(path);
    const { hash, version } = service.plane.currentBook() ?? {};
    expect(first.headers).toMatchObject({
      'plimsoll-version': String(version),
      'plimsoll-hash': hash,
      'plimsoll-degraded': 'true',
      'plimsoll-simulated': 'true',
    });
    expect(Number(first.headers['plimsoll-total'])).toBeGreaterThan(0);
    expect(first.headers['cache-control']).toMatch(/no-cache$/);
    const again = await service.call(path, { headers: { 'if-none-match': first.headers.etag } });
    expect([again.status, again.body.length, again.headers['plimsoll-hash']]).toEqual([304, 0, hash]);
  });
});

test('when the validity of a book is over, reads go on and carry the warning', async () => {
  const old = await TestService.start();
  for (const path of READS) expect((await old.call(path)).headers.warning, path).toBeUndefined();
  old.clock.advance(100 * HOUR);
  for (const path of READS) {
    const { status, headers } = await old.call(path);
    expect([path, status, headers['plimsoll-degraded']]).toEqual([path, 200, 'true']);
    expect(headers.warning, path).toMatch(/^110 plimsoll/);
  }
  await old.stop();
});

test('a new book is told at once', async () => {
  const changing = await TestService.start();
  const path = '/v5/market/risk-limit?category=linear';
  const before = await changing.call(path);
  await changing.publish(marketInputs(0.03));
  const after = await changing.call(path);
  expect(after.json.result.list).not.toEqual(before.json.result.list);
  expect(after.headers['plimsoll-version']).toBe('2');
  await changing.stop();
});

describe('where keys are configured', () => {
  let closed: TestService;
  const as = (apiKey: string) => ({ headers: { 'x-mbx-apikey': apiKey } });
  beforeAll(async () => {
    closed = await TestService.start({
      keys: [
        { name: 'officer', role: 'operator', sha256: sha256Of(OPERATOR_KEY) },
        { name: 'alice', role: 'reader', sha256: sha256Of('key-of-alice') },
        { name: 'bob', role: 'reader', sha256: sha256Of('key-of-bob') },
        { name: 'carol', role: 'reader', sha256: sha256Of('key-of-carol') },
      ],
    });
    expect((await closed.put('/v1/users/alice', { notionalCoef: '0.5' })).status).toBe(200);
    expect((await closed.put('/v1/users/bob', { notionalCoef: '1' })).status).toBe(200);
  });
  afterAll(() => closed.stop());

  test.each(['/fapi/v1/leverageBracket', `/fapi/v1/leverageBracket?${SIGNED}`])(
    'each user of %s sees their own brackets, which no cache keeps for another',
    async (path) => {
      const [alice, bob] = [
        await closed.call(path, as('key-of-alice')),
        await closed.call(path, as('key-of-bob')),
      ];
      expect(alice.text.startsWith('[{"symbol":"AURUSDT","notionalCoef":0.5,"brackets":[')).toBe(true);
      expect(bob.text).not.toContain('notionalCoef');
      for (const [i, { brackets }] of bob.json.entries())
        expect(alice.json[i].brackets[0]).toEqual({
          ...brackets[0],
          notionalCap: Math.min(brackets[0].notionalCap / 2, alice.json[i].brackets[0].notionalCap),
        });
      expect(alice.headers['cache-control']).toBe('private, no-cache');
    },
  );

  test('another coefficient is in force with the next read', async () => {
    const path = '/fapi/v1/leverageBracket';
    const capOf = async () => (await closed.call(path, as('key-of-bob'))).json[0].brackets[0].notionalCap;
    const full = await capOf();
    await closed.put('/v1/users/bob', { notionalCoef: '0.5' });
    expect(await capOf()).toBe(full / 2);
    await closed.put('/v1/users/bob', { notionalCoef: '0.25' });
    expect(await capOf()).toBe(full / 4);
    await closed.put('/v1/users/bob', { notionalCoef: '1' });
    expect(await capOf()).toBe(full);
  });

  // Of carol nothing is known, so her account counts as new.
  test.each(['alice', 'carol'])('what %s could set at most is told as her leverage', async (user) => {
    const [told] = (await closed.call('/fapi/v1/symbolConfig?symbol=BTCUSDT', as(`key-of-${user}`))).json;
    const { caps } = (await closed.call(`/v1/users/${user}/caps?symbol=BTCUSDT`, { headers: OPERATOR })).json;
    expect(told).toEqual({
      symbol: 'BTCUSDT',
      marginType: 'CROSSED',
      isAutoAddMargin: 'false',
      leverage: caps[0].maxLeverage,
      maxNotionalValue: caps[0].maxNotional,
    });
  });

  test.each([
    ['/fapi/v1/leverageBracket', 'x-mbx-apikey', -2014, -2015],
    ['/fapi/v1/exchangeInfo', 'x-mbx-apikey', -2014, -2015],
    ['/v5/market/risk-limit?category=linear', 'x-bapi-api-key', 10003, 10003],
    ['/api/v5/public/instruments?instType=SWAP', 'ok-access-key', '50103', '50111'],
  ])('%s wants a known key in %s, or as all other reads', async (path, header, without, wrong) => {
    const codeOf = async (headers: Record<string, string>) => {
      const { status, json } = await closed.call(path, { headers });
      return [status, json?.code ?? json?.retCode];
    };
    expect(await codeOf({})).toEqual([401, without]);
    expect(await codeOf({ [header]: 'unknown' })).toEqual([401, wrong]);
    expect(await codeOf({ [header]: 'not a key at all' })).toEqual([401, without]);
    expect((await closed.call(path, { headers: { [header]: 'key-of-bob' } })).status).toBe(200);
    expect((await closed.call(path, { headers: { authorization: 'Bearer key-of-bob' } })).status).toBe(200);
    // The header of another exchange opens nothing, and neither does this one elsewhere.
    expect((await closed.call('/v1/limits', { headers: { [header]: 'key-of-bob' } })).status).toBe(401);
  });
});
