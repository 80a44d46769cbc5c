import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OPERATOR, TestService } from './test-service.ts';
import { traceOf } from './trace.ts';

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const VALID = `00-${ID}-${SPAN}-01`;

test.each([
  ['as the recommendation has it', VALID, '01'],
  ['not recorded', `00-${ID}-${SPAN}-00`, '00'],
  ['with flags that nobody knows yet', `00-${ID}-${SPAN}-ff`, '01'],
  ['of a later version, with more behind it', `cc-${ID}-${SPAN}-01-what-the-future-brings`, '01'],
])('a trace %s goes on in our own part of it', (_, traceparent, flags) => {
  const trace = traceOf({ traceparent });
  expect(trace?.id).toBe(ID);
  expect(trace?.traceparent).toMatch(new RegExp(`^00-${ID}-[0-9a-f]{16}-${flags}$`));
  expect(trace?.traceparent).not.toContain(SPAN);
});

test.each([
  ['the forbidden version', `ff-${ID}-${SPAN}-01`],
  ['version 00 with more behind it', `${VALID}-more`],
  ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['a parent of zeros', `00-${ID}-${'0'.repeat(16)}-01`],
  ['upper case', VALID.toUpperCase()],
  ['a short id', `00-${ID.slice(1)}-${SPAN}-01`],
  ['something behind the flags', `${VALID}x`],
  ['spaces', ` ${VALID}`],
  ['nothing', ''],
  ['too much', `cc-${ID}-${SPAN}-01-${'x'.repeat(600)}`],
])('%s is left alone', (_, traceparent) => {
  expect(traceOf({ traceparent })).toBeNull();
});

describe('over HTTP', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await TestService.start();
  });
  afterAll(() => service.stop());

  test('prepared reads, others and checks answer the trace and the request id that they were given', async () => {
    const headers = { traceparent: VALID, 'x-request-id': 'request-7' };
    const order = { userId: 'u1', symbol: 'BTCUSDT', side: 'long', notional: '1000', leverage: 2 };
    for (const answer of [
      await service.call('/v1/limits', { headers }),
      await service.call('/v1/models', { headers }),
      await service.call('/v1/nothing', { headers }),
      await service.post('/v1/checks', order, headers),
    ]) {
      expect(answer.headers['x-request-id']).toBe('request-7');
      expect(answer.headers.traceparent).toMatch(new RegExp(`^00-${ID}-[0-9a-f]{16}-01$`));
    }
    expect((await service.call('/v1/limits')).headers.traceparent).toBeUndefined();
  });

  test('a refusal is logged with both, so that it is found from either side', async () => {
    const headers = { ...OPERATOR, authorization: 'Bearer nobody-knows-this-one', traceparent: VALID };
    const refused = await service.put('/v1/users/u1', {}, headers);
    const line = JSON.parse(service.warnings.at(-1) ?? '{}');
    expect(line).toMatchObject({ why: 'key_unknown', traceId: ID, requestId: refused.json.instance });
  });
});
