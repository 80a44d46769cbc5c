import { fork } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { manyMarkets, TestService } from '../src/http/test-service.ts';
import { DECIDED_AT, HOUR } from '../src/limits/test-inputs.ts';
import { megabytes, print } from './measure.ts';

/**
 * Readers of the stream in a process of their own, and a change of every one of 500 markets: when the last byte is out at the
 * last of them, and what each costs the service. Memory is told rightly of the first
 * size alone, as what was freed is used again: `npm run bench -- push 10000`.
 */
const READERS = process.argv.slice(3).length > 0 ? process.argv.slice(3).map(Number) : [1000, 5000, 10_000];
const MARKETS = 500;

if (process.send !== undefined) readers();
else await measure();

async function measure(): Promise<void> {
  for (const readers of READERS)
    for (const isPacked of readers > 1000 ? [true] : [true, false]) {
      const service = await TestService.start({ books: 0 });
      await service.publish(manyMarkets(MARKETS, 0.008));
      globalThis.gc?.();
      const before = process.memoryUsage().rss;
      const child = fork(fileURLToPath(import.meta.url), [service.url, String(readers), String(isPacked)]);
      await message(child, 'open');
      globalThis.gc?.();
      const perReader = (process.memoryUsage().rss - before) / readers;
      const since = performance.now();
      const cpu = process.cpuUsage();
      await service.publish(manyMarkets(MARKETS, 0.03), DECIDED_AT + HOUR);
      const published = performance.now() - since;
      const { bytes, lastAt } = await message(child, 'told');
      const seconds = (Number(lastAt) - performance.timeOrigin - since) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      print(
        `${readers} readers, ${isPacked ? 'gzip' : 'plain'}: last byte after ${seconds.toFixed(2)} s (decided, stored and shown after ${(published / 1000).toFixed(2)}), ` +
          `${megabytes(Number(bytes))} in all, ${((user + system) / 1e6).toFixed(2)} s of processor time of the service, ${(perReader / 1000).toFixed(1)} kB a reader`,
      );
      child.kill();
      await service.stop();
    }
}

function message(
  child: ReturnType<typeof fork>,
  kind: string,
): Promise<{ readonly bytes?: number; readonly lastAt?: number }> {
  return new Promise((resolve) => {
    const listen = (said: {
      readonly kind: string;
      readonly bytes?: number;
      readonly lastAt?: number;
    }): void => {
      if (said.kind !== kind) return;
      child.off('message', listen);
      resolve(said);
    };
    child.on('message', listen);
  });
}

/** Opens the readers and counts bytes, as cheaply as can be: what is measured is the service. */
function readers(): void {
  const [, , url, count, isPacked] = process.argv;
  const { hostname, port } = new URL(url);
  const encoding = isPacked === 'true' ? 'accept-encoding: gzip\r\n' : '';
  const head = `GET /v1/stream?after=1 HTTP/1.1\r\nhost: ${hostname}\r\n${encoding}\r\n`;
  let [open, bytes, isOpen] = [0, 0, false];
  let last = Number.POSITIVE_INFINITY;
  for (let reader = 0; reader < Number(count); reader++) {
    const socket = connect(Number(port), hostname, () => socket.write(head));
    let hasBegun = false;
    socket.on('data', (chunk) => {
      if (!hasBegun && ++open === Number(count))
        setTimeout(() => {
          isOpen = true;
          process.send?.({ kind: 'open' });
        }, 1000);
      hasBegun = true;
      if (!isOpen) return;
      bytes += chunk.length;
      last = performance.now();
    });
  }
  setInterval(() => {
    if (!isOpen || performance.now() - last < 500) return;
    process.send?.({ kind: 'told', bytes, lastAt: performance.timeOrigin + last });
    last = Number.POSITIVE_INFINITY;
  }, 20);
}
