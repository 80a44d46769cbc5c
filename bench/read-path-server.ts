import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { marketInputs, TestService } from '../src/http/test-service.ts';
import type { MarketInput } from '../src/limits/market-input.ts';

/**
 * One server of the read-path benchmark in a process of its own: `plimsoll` is the service, `bare` a `node:http` server
 * that sends the same bytes with the same headers, `express` an Express application that does.
 */
const [kind, markets, path] = process.argv.slice(2);
const service = await TestService.start({ books: 0 });
await service.publish(manyMarkets(Number(markets)));

const { body, headers } = await service.call(path);
const etag = String(headers.etag);
if (kind === 'plimsoll') ready(Number(new URL(service.url).port));
else {
  await service.stop();
  const own = new Set(['date', 'connection', 'keep-alive']);
  const sent = Object.entries(headers).filter(([name]) => !own.has(name));
  // What stands with a body is not sent without one.
  const sentAlone = sent.filter(([name]) => !name.startsWith('content-'));
  const answer: RequestListener = (request, response) => {
    const isKnown = request.headers['if-none-match'] === etag;
    for (const [name, value] of isKnown ? sentAlone : sent) response.setHeader(name, String(value));
    response.statusCode = isKnown ? 304 : 200;
    response.end(isKnown ? undefined : body);
  };
  const server = createServer(kind === 'bare' ? answer : expressApp(answer));
  server.keepAliveTimeout = 30_000;
  server.listen(0, '127.0.0.1', () => ready((server.address() as AddressInfo).port));
}

function expressApp(answer: RequestListener): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get(path, answer);
  return app;
}

function manyMarkets(count: number): MarketInput[] {
  const [template] = marketInputs(0.02);
  return Array.from({ length: count }, (_, m) => ({
    ...template,
    symbol: `M${String(m).padStart(4, '0')}USDT`,
  }));
}

function ready(port: number): void {
  process.once('disconnect', () => process.exit());
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuMicroseconds: user + system, residentBytes: process.memoryUsage.rss() });
  });
  process.send?.({ port, etag });
}
