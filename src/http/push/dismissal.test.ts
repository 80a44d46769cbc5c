import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Gate } from '../access/gate.ts';
import { UNLIMITED } from '../access/rate-limits.ts';
import { Keyring } from '../auth.ts';
import { sha256Of, TestService } from '../test-service.ts';
import { ContractInfoStream } from './contract-info-stream.ts';
import type { Frame } from './frames.ts';
import { PushHub, type Reader } from './hub.ts';

let service: TestService;
beforeAll(async () => {
  service = await TestService.start();
});
afterAll(() => service.stop());

class KeptReader implements Reader {
  readonly isOpen = true;
  readonly waitingBytes = 0;
  readonly sent: string[] = [];
  last: string | null = null;

  send(frame: Frame): void {
    this.sent.push(frame.message);
  }

  end(frame: Frame): void {
    this.last = frame.message;
  }
}

test('whoever reads the feed with a key that is revoked or over is cut off and told why; others stay', async () => {
  const { clock } = service;
  const keyOf = (name: string, expiresAt: number | null) =>
    ({ name, role: 'reader', sha256: sha256Of(`${name}-of-the-dismissal-tests`), expiresAt }) as const;
  const keys = [keyOf('kept', null), keyOf('revoked', null), keyOf('brief', clock.now() + 1000)];
  const keyring = new Keyring([], false, clock);
  keyring.useStored(keys, true);
  const gate = new Gate({ keyring, limits: UNLIMITED, clock, seconds: () => 0 });
  const hub = new PushHub(service.plane, () => ({ etag: '', body: '{}' }));
  const readers = await Promise.all(
    keys.map(async ({ name }) => {
      const caller = keyring.callerOf(`Bearer ${name}-of-the-dismissal-tests`);
      const reader = new KeptReader();
      await hub.join(reader, { after: null, kinds: null, mayStay: () => gate.mayStay(caller) });
      return reader;
    }),
  );
  hub.dismiss();
  expect(readers.map(({ last }) => last)).toEqual([null, null, null]);
  keyring.useStored(
    keys.filter(({ name }) => name !== 'revoked'),
    true,
  );
  hub.dismiss();
  expect(readers.map(({ last }) => last)).toEqual([null, expect.stringContaining('KEY_ENDED'), null]);
  clock.advance(1000);
  hub.dismiss();
  expect(readers.map(({ last }) => last !== null)).toEqual([false, true, true]);
  expect(hub.readers).toBe(1);
  hub.close();
});

test('so is whoever reads the tables that change as Binance tells them', async () => {
  const stream = new ContractInfoStream(service.plane);
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const counts = new Map([
    ['/kept', true],
    ['/revoked', true],
  ]);
  const joined = new Promise<void>((resolve) => {
    server.on('connection', (connection, { url = '' }) => {
      stream.join(connection, { isCombined: false, mayStay: () => counts.get(url) === true });
      if (server.clients.size === counts.size) resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  const [kept, revoked] = [...counts.keys()].map((path) => new WebSocket(`ws://127.0.0.1:${port}${path}`));
  await joined;
  counts.set('/revoked', false);
  const [code, reason] = (await Promise.all([once(revoked, 'close'), stream.dismiss()]))[0];
  expect([code, String(reason), kept.readyState]).toEqual([1008, 'KEY_ENDED', WebSocket.OPEN]);
  stream.close(1001);
  expect((await once(kept, 'close'))[0]).toBe(1001);
  server.close();
});

test('a reader of the first run does not outlive it, and a token ends when it says', () => {
  const { clock } = service;
  const keyring = new Keyring([], true, clock);
  const gate = new Gate({ keyring, limits: UNLIMITED, clock, seconds: () => 0 });
  expect(gate.mayStay(null)).toBe(true);
  keyring.useStored([], true);
  expect(gate.mayStay(null)).toBe(false);
  const rest = { isNarrowed: false, subjects: null, mustSign: false, scopes: new Set<never>() };
  const person = { ...rest, name: 'carol', role: 'reader', key: 'x', tokenEndsAt: clock.now() + 1 } as const;
  expect(gate.mayStay(person)).toBe(true);
  clock.advance(1);
  expect(gate.mayStay(person)).toBe(false);
});
