import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OPERATOR, TestService } from '../../src/http/test-service.ts';

/** Clients that are slow, or do nothing at all. The times are short here; those of the service are in `BOUNDS`. */
const PATIENCE = {
  headersMilliseconds: 1500,
  requestMilliseconds: 2000,
  keepAliveMilliseconds: 30_000,
  silenceMilliseconds: 2000,
  checkMilliseconds: 100,
};
let service: TestService;

beforeAll(async () => {
  service = await TestService.start({ patience: PATIENCE });
});
afterAll(() => service.stop());

interface Client {
  readonly socket: Socket;
  readonly opened: Promise<void>;
  readonly closed: Promise<number>;
}

function open(): Client {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  let bytes = 0;
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    bytes += chunk.length;
  });
  const opened = new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return { socket, opened, closed: new Promise((resolve) => socket.once('close', () => resolve(bytes))) };
}

const HALVES = [
  '',
  'GET /v1/lim',
  'GET /v1/limits HTTP/1.1\r\nhost: x\r\n',
  `PUT /v1/users/half HTTP/1.1\r\nhost: x\r\nauthorization: ${OPERATOR.authorization}\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{"max`,
];

test('a thousand half-open connections: everybody else is answered, and all of them are cut', async () => {
  const clients = Array.from({ length: 1000 }, (_, i) => {
    const client = open();
    client.socket.write(HALVES[i % HALVES.length]);
    return client;
  });
  await Promise.all(clients.map(({ opened }) => opened));
  let cut = 0;
  for (const { closed } of clients) void closed.then(() => cut++);
  expect(cut).toBe(0);
  let answered = 0;
  while (cut < clients.length) {
    expect((await service.call('/v1/limits')).status).toBe(200);
    expect((await service.put('/v1/users/meanwhile', { maxLeverage: 2 })).status).toBe(200);
    answered++;
  }
  expect(answered).toBeGreaterThan(0);
  expect(service.plane.userNow('half')).toBeNull();
  expect(service.errors).toEqual([]);
});

test('a client that asks on and on and reads nothing is cut, and takes no answer from anybody else', async () => {
  const clients = Array.from({ length: 20 }, () => {
    const client = open();
    client.socket.pause();
    return client;
  });
  await Promise.all(clients.map(({ opened }) => opened));
  const requests = 5000;
  const { length: size } = (await service.call('/v1/limits')).body;
  for (const { socket } of clients)
    socket.write('GET /v1/limits HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(requests));
  const before = process.memoryUsage().rss;
  for (let read = 0; read < 100; read++) expect((await service.call('/v1/markets')).status).toBe(200);
  // Most of what nobody takes is not made.
  expect(process.memoryUsage().rss - before).toBeLessThan(0.5 * clients.length * requests * size);
  await new Promise((resolve) => setTimeout(resolve, PATIENCE.silenceMilliseconds + 2000));
  for (const { socket } of clients) socket.resume();
  const received = await Promise.all(clients.map(({ closed }) => closed));
  for (const bytes of received) expect(bytes).toBeLessThan(requests * size);
  expect((await service.call('/v1/limits')).status).toBe(200);
});
