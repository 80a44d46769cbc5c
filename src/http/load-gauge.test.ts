import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LoadGauge, patienceOf } from './load-gauge.ts';
import { ORDER } from './route-examples.fixture.ts';
import { ROUTES } from './routes.ts';
import { OPERATOR, TestService } from './test-service.ts';

describe('a gauge of the load', () => {
  let now = 0;
  beforeEach(() => {
    now = 0;
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  /** The event loop comes round, late by so much. */
  function beat(lateMilliseconds: number): void {
    now += 50 + lateMilliseconds;
    vi.advanceTimersByTime(50);
  }

  test('refuses what can wait first, when the event loop is behind, and takes it again when that is over', () => {
    const gauge = new LoadGauge(() => now);
    beat(0);
    expect([gauge.admits('leisurely'), gauge.admits('working')]).toEqual([true, true]);
    beat(2500);
    expect([gauge.admits('leisurely'), gauge.admits('working')]).toEqual([false, true]);
    beat(6000);
    expect([gauge.admits('working'), gauge.admits('never-shed')]).toEqual([false, true]);
    for (let i = 0; i < 3; i++) beat(0);
    expect([gauge.admits('leisurely'), gauge.admits('working')]).toEqual([true, true]);
    gauge.stop();
  });

  test('refuses what can wait first, when many run at once', () => {
    const gauge = new LoadGauge(() => now);
    for (let i = 0; i < 100; i++) gauge.began();
    expect([gauge.admits('leisurely'), gauge.admits('working')]).toEqual([false, true]);
    for (let i = 0; i < 900; i++) gauge.began();
    expect(gauge.admits('working')).toBe(false);
    for (let i = 0; i < 901; i++) gauge.ended();
    expect([gauge.running, gauge.admits('leisurely')]).toEqual([99, true]);
    gauge.stop();
  });

  test('knows every route: what an exchange needs while it trades is not given up with what can wait', () => {
    const leisurely = ROUTES.filter(({ path }) => patienceOf(path) === 'leisurely').map(({ path }) => path);
    expect(leisurely).toContain('/v1/audit');
    for (const path of [
      '/v1/checks',
      '/v1/accounts/batch',
      '/v1/accounts/{id}/margin',
      '/v1/prices',
      '/v1/market-activity',
      '/v1/freeze',
      '/v1/stream',
      '/v1/user-policy',
    ])
      expect([path, patienceOf(path)]).toEqual([path, 'working']);
    for (const path of ['/livez', '/readyz', '/metrics']) expect(patienceOf(path)).toBe('never-shed');
  });
});

test('with many requests that do not come to their end limit reads and checks go out, and what can wait is told to come again', async () => {
  const service = await TestService.start();
  const { port } = new URL(service.url);
  const head = `POST /v1/accounts/batch HTTP/1.1\r\nhost: x\r\nauthorization: ${OPERATOR.authorization}\r\ncontent-type: application/x-ndjson\r\ncontent-length: 10\r\n\r\n`;
  const sockets = Array.from({ length: 150 }, () => connect(Number(port), '127.0.0.1'));
  for (const socket of sockets) socket.write(head);
  const statusOf = async (path: string): Promise<number> => (await service.call(path)).status;
  await vi.waitFor(async () => expect(await statusOf('/v1/audit')).toBe(503), 5000);
  const refused = await service.call('/v1/audit');
  expect([refused.json.code, refused.headers['retry-after']]).toEqual(['OVERLOADED', '5']);
  expect(refused.json.remedy).toContain('again');
  for (const path of ['/v1/limits', '/v1/markets/BTCUSDT/brackets', '/livez', '/v1/interventions'])
    expect([path, await statusOf(path)]).toEqual([path, 200]);
  expect((await service.post('/v1/checks', ORDER)).status).toBe(200);
  for (const socket of sockets) socket.destroy();
  await vi.waitFor(async () => expect(await statusOf('/v1/audit')).toBe(200), 5000);
  await service.stop();
});
