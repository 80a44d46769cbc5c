import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serviceWithAccount } from './account-holder.ts';

/**
 * One server of the benchmark of checks in a process of its own: `plimsoll` is the service, `bare` a `node:http` server that parses
 * the same JSON and answers what the service answered.
 */
const [kind, order] = process.argv.slice(2);
const service = await serviceWithAccount();

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
