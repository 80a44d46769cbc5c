import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OPERATOR, TestService } from '../src/http/test-service.ts';

/**
 * One server of the benchmark of checks in a process of its own: `plimsoll` is the service, `bare` a `node:http` server that parses
 * the same JSON and answers what the service answered.
 */
const [kind, order] = process.argv.slice(2);
const service = await TestService.start();
const markets = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
const matrix = Float64Array.from({ length: 9 }, (_, i) => (i % 4 === 0 ? 1 : 0.7));
service.plane.correlated({ asOf: 0, markets, matrix });
const positions = markets.map((symbol, i) => {
  return { symbol, side: i === 1 ? 'short' : 'long', quantity: '10', entryPrice: '100' };
});
const account = { userId: 'holder', marginMode: 'cross', equity: '100000', positions };
await service.put('/v1/accounts/holder', account, OPERATOR);

if (kind === 'plimsoll') ready(Number(new URL(service.url).port));
else {
  const { body, headers } = await service.post('/v1/checks', JSON.parse(order));
  await service.stop();
  const own = new Set(['date', 'connection', 'keep-alive']);
  const sent = Object.entries(headers).filter(([name]) => !own.has(name));
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      JSON.parse(Buffer.concat(chunks).toString());
      for (const [name, value] of sent) response.setHeader(name, String(value));
      response.end(body);
    });
  });
  server.keepAliveTimeout = 30_000;
  server.listen(0, '127.0.0.1', () => ready((server.address() as AddressInfo).port));
}

function ready(port: number): void {
  process.once('disconnect', () => process.exit());
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  process.send?.({ port });
}
