import { tmpdir } from 'node:os';
import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import { isMainThread, parentPort } from 'node:worker_threads';
import { numbersOf, openDuckDb } from '../data/duckdb.ts';
import { endFromOutside, endOfThread, isUninterruptible, startThread, uninterrupted } from './thread.ts';

/** Not among the types of Node. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => object;
};

/**
 * As a thread: ends, or hangs, as it is told. As a process: calls JavaScript from WebAssembly, whose code for that is then
 * used by nobody; with the argument `with-thread` after it has started a thread.
 */
if (isMainThread && process.argv[2] === 'ends-a-query') {
  const worker = startThread(new URL(import.meta.url), null);
  worker.postMessage('query');
  while (!isUninterruptible(worker)) await wait(1);
  await wait(100);
  const said: unknown[] = [];
  worker.on('message', (message) => said.push(message));
  const held = setInterval(() => undefined, 1000);
  await endFromOutside(worker);
  clearInterval(held);
  process.stdout.write(`ended after ${JSON.stringify(said)}`);
} else if (isMainThread) {
  if (process.argv[2] === 'with-thread') {
    const worker = startThread(new URL(import.meta.url), null);
    const ended = endOfThread(worker, 60_000);
    worker.postMessage('end');
    await ended;
  }
  for (let i = 0; i < 5; i++) {
    importsOnce();
    globalThis.gc?.();
    await setImmediate();
  }
} else {
  parentPort?.on('message', (request: 'end' | 'hang' | 'query') => {
    if (request === 'end') parentPort?.close();
    else if (request === 'hang') for (;;);
    else void queryForLong();
  });
}

async function queryForLong(): Promise<void> {
  const database = await openDuckDb(tmpdir());
  const connection = await database.connect();
  for (let query = 1; ; query++) {
    await uninterrupted(async () => {
      await numbersOf(connection, 'SELECT sum(a.range * b.range % 7) FROM range(20000) a, range(20000) b');
      parentPort?.postMessage(query);
    });
  }
}

/** A module of one import and nothing else. A bound function has its code when the module is instantiated, not after a thousand calls. */
function importsOnce(): void {
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  const typeOfNothing = [0x01, 0x04, 0x01, 0x60, 0x00, 0x00];
  const importOfThatType = [0x02, 0x07, 0x01, 0x01, 0x6d, 0x01, 0x66, 0x00, 0x00];
  const module = new WebAssembly.Module(Uint8Array.of(...header, ...typeOfNothing, ...importOfThatType));
  new WebAssembly.Instance(module, { m: { f: importsOnce.bind(null) } });
}
