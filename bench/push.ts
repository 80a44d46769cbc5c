import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { manyMarkets, TestService } from '../src/http/test-service.ts';
import { DECIDED_AT, HOUR } from '../src/limits/test-inputs.ts';
import { megabytes, print } from './measure.ts';

/**
 * Readers of the stream in a process of their own, and a change of every one of 500 markets: when the last byte is out at the
 * last of them, and what each costs the service. Beside it a bare `node:http` server, in a process of its own, that writes one
 * event to as many: what Node itself keeps of a connection. Memory is told rightly of the first size alone, as what was freed is
 * used again: `npm run bench -- push 10000`.
 */
const READERS = process.argv.slice(3).length > 0 ? process.argv.slice(3).map(Number) : [1000, 5000, 10_000];
const MARKETS = 500;
/** After this long without work V8 has given back what it had taken for as many requests at once. */
const REST_MILLISECONDS = 10_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const [, , KIND] = process.argv;
if (process.send !== undefined) await (KIND === 'bare' ? bare() : readers());
else await measure();

interface PerReader {
  readonly rss: number;
  readonly heap: number;
}

/** Memory of this process, by reader, since before they came. */
function perReaderSince(before: NodeJS.MemoryUsage, readers: number): PerReader {
  collect();
  const { rss, heapUsed } = process.memoryUsage();
  return { rss: (rss - before.rss) / readers, heap: (heapUsed - before.heapUsed) / readers };
}

/** What a bare server keeps of so many readers. */
async function bare(): Promise<void> {
  const count = Number(process.argv[3]);
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('event: begun\ndata: {}\n\n');
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  collect();
  const before = process.memoryUsage();
  const { port } = server.address() as AddressInfo;
  const child = fork(fileURLToPath(import.meta.url), [`http://127.0.0.1:${port}`, String(count), 'false']);
  await message(child, 'open');
  process.send?.({ kind: 'kept', kept: perReaderSince(before, count) });
  child.kill();
  process.exit();
}

async function measure(): Promise<void> {
  for (const readers of READERS)
    for (const isPacked of readers > 1000 ? [true] : [true, false]) {
      const service = await TestService.start({ books: 0 });
      await service.publish(manyMarkets(MARKETS, 0.008));
      collect();
      const before = process.memoryUsage();
      const child = fork(fileURLToPath(import.meta.url), [service.url, String(readers), String(isPacked)]);
      await message(child, 'open');
      const kept = perReaderSince(before, readers);
      const since = performance.now();
      const cpu = process.cpuUsage();
      await service.publish(manyMarkets(MARKETS, 0.03), DECIDED_AT + HOUR);
      const published = performance.now() - since;
      const { bytes, lastAt } = await message(child, 'told');
      const seconds = (Number(lastAt) - performance.timeOrigin - since) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      print(
        `${readers} readers, ${isPacked ? 'gzip' : 'plain'}: last byte after ${seconds.toFixed(2)} s (decided, stored and shown after ${(published / 1000).toFixed(2)}), ` +
          `${megabytes(Number(bytes))} in all, ${((user + system) / 1e6).toFixed(2)} s of processor time of the service, ${(kept.rss / 1000).toFixed(1)} kB a reader, ${(kept.heap / 1000).toFixed(1)} kB of it objects`,
      );
      await wait(REST_MILLISECONDS);
      const atRest = perReaderSince(before, readers);
      print(
        `  ten seconds later ${(atRest.rss / 1000).toFixed(1)} kB a reader, ${(atRest.heap / 1000).toFixed(1)} kB of it objects`,
      );
      child.kill();
      await service.stop();
      const server = fork(fileURLToPath(import.meta.url), ['bare', String(readers)]);
      const { kept: ofBare } = await message(server, 'kept');
      if (ofBare !== undefined)
        print(
          `  a bare server keeps ${(ofBare.rss / 1000).toFixed(1)} kB a reader, ${(ofBare.heap / 1000).toFixed(1)} kB of it objects: the service is ${(kept.rss / ofBare.rss).toFixed(2)} × and ${(kept.heap / ofBare.heap).toFixed(2)} ×`,
        );
    }
}

interface Said {
  readonly kind: string;
  readonly bytes?: number;
  readonly lastAt?: number;
  readonly kept?: PerReader;
}

function message(child: ChildProcess, kind: string): Promise<Said> {
  return new Promise((resolve) => {
    const listen = (said: Said): void => {
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
  const buffer = Buffer.alloc(256 * 1024);
  for (let reader = 0; reader < Number(count); reader++) {
    let hasBegun = false;
    const callback = (length: number): boolean => {
      if (!hasBegun && ++open === Number(count))
        setTimeout(() => {
          isOpen = true;
          process.send?.({ kind: 'open' });
        }, 1000);
      hasBegun = true;
      if (!isOpen) return true;
      bytes += length;
      last = performance.now();
      return true;
    };
    // One buffer for all: nobody looks at what is read.
    const socket = connect({ port: Number(port), host: hostname, onread: { buffer, callback } }, () =>
      socket.write(head),
    );
  }
  setInterval(() => {
    if (!isOpen || performance.now() - last < 500) return;
    process.send?.({ kind: 'told', bytes, lastAt: performance.timeOrigin + last });
    last = Number.POSITIVE_INFINITY;
  }, 20);
}
