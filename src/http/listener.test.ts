import { closeSync, openSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Listener } from './listener.ts';
import { OPERATOR, TestService } from './test-service.ts';

let service: TestService;
beforeEach(async () => {
  service = await TestService.start();
});
afterEach(() => service.stop());

const port = (): number => Number(new URL(service.url).port);

/** A connection with all that has come over it. */
function open(): { readonly socket: Socket; text(): string; readonly ended: Promise<void> } {
  const socket = connect(port(), '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => {});
  const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  return { socket, text: () => text, ended };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await wait(2);
}

interface Outcome {
  readonly status: number | string;
  readonly isReused: boolean;
}

function ask(agent: Agent, path: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const outgoing = request(service.url, { path, agent }, (incoming) => {
      incoming.resume();
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, isReused: outgoing.reusedSocket }),
      );
      incoming.on('error', (error) => resolve({ status: String(error), isReused: outgoing.reusedSocket }));
    });
    outgoing.on('error', (error) => resolve({ status: String(error), isReused: outgoing.reusedSocket }));
    outgoing.end();
  });
}

describe('a service that is told to end', () => {
  test('answers what comes on a connection that was idle, and ends it so that its client comes again elsewhere', async () => {
    const { socket, text, ended } = open();
    socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n');
    await until(() => text().includes('{"alive":true}'));
    const stopped = service.service.stop(5000);
    await wait(50);
    socket.write('GET /v1/limits HTTP/1.1\r\nhost: x\r\n\r\n');
    await ended;
    await stopped;
    const answer = text().slice(text().indexOf('{"alive":true}'));
    expect(answer).toContain('HTTP/1.1 200 OK');
    expect(answer.toLowerCase()).toContain('connection: close');
    expect(answer.trimEnd().endsWith('}')).toBe(true);
  });

  test('lets what has begun come to its end, also a write whose body is still on its way', async () => {
    const { socket, text, ended } = open();
    const body = '{"maxLeverage":3}';
    const head = [
      'PUT /v1/users/late HTTP/1.1',
      'host: x',
      `authorization: ${OPERATOR.authorization}`,
      'content-type: application/json',
      `content-length: ${body.length}`,
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 5)}`);
    await wait(50);
    const stopped = service.service.stop(5000);
    await wait(1100);
    socket.write(body.slice(5));
    await ended;
    await stopped;
    expect(text()).toContain('HTTP/1.1 200 OK');
    expect(service.plane.userNow('late')).toMatchObject({ maxLeverage: 3 });
  });

  test('under load fails no request on a connection that is open', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    const outcomes: Outcome[] = [];
    let isOver = false;
    const clients = Array.from({ length: 20 }, async () => {
      while (!isOver) {
        const outcome = await ask(agent, '/v1/limits');
        outcomes.push(outcome);
        // Nobody takes the place of this one: a new connection is refused.
        if (outcome.status !== 200) return;
      }
    });
    await until(() => outcomes.length > 200);
    await service.service.stop(5000);
    isOver = true;
    await Promise.all(clients);
    agent.destroy();
    expect(outcomes.filter(({ status, isReused }) => isReused && status !== 200)).toEqual([]);
    expect(
      outcomes.filter(({ status }) => status !== 200 && !String(status).includes('ECONNREFUSED')),
    ).toEqual([]);
  });

  test('says first that it is not ready, and still answers whoever comes meanwhile', async () => {
    expect((await service.call('/readyz')).status).toBe(200);
    service.service.drain();
    const ready = await service.call('/readyz');
    expect([ready.status, ready.json.ready, ready.json.reasons.at(-1)]).toEqual([503, false, 'DRAINING']);
    const { status, headers } = await service.call('/v1/limits');
    expect([status, headers.connection]).toEqual([200, 'close']);
    expect((await service.call('/livez')).status).toBe(200);
  });

  test('cuts off at the deadline what does not come to its end', async () => {
    const { socket, ended } = open();
    socket.write('PUT /v1/users/u HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{');
    await wait(50);
    await service.service.stop(1200);
    await ended;
    expect(service.plane.userNow('u')).toBeNull();
  });
});

test('a descriptor that is no socket is told as such', async () => {
  const file = openSync(import.meta.filename, 'r');
  const listener = new Listener(createServer(), pino({ level: 'silent' }));
  await expect(listener.start({ descriptor: file })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(`descriptor ${file} is no socket to listen on`),
  });
  closeSync(file);
});
