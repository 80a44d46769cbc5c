import { setImmediate } from 'node:timers/promises';
import { isMainThread, parentPort } from 'node:worker_threads';
import { endOfThread, startThread } from './thread.ts';

/** Not among the types of Node. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => object;
};

/**
 * As a thread: ends, or hangs, as it is told. As a process: calls JavaScript from WebAssembly, whose code for that is then
 * used by nobody; with the argument `with-thread` after it has started a thread.
 */
if (isMainThread) {
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
  parentPort?.on('message', (request: 'end' | 'hang') => {
    if (request === 'end') parentPort?.close();
    else for (;;);
  });
}

/** A module of one import and nothing else. A bound function has its code when the module is instantiated, not after a thousand calls. */
function importsOnce(): void {
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  const typeOfNothing = [0x01, 0x04, 0x01, 0x60, 0x00, 0x00];
  const importOfThatType = [0x02, 0x07, 0x01, 0x01, 0x6d, 0x01, 0x66, 0x00, 0x00];
  const module = new WebAssembly.Module(Uint8Array.of(...header, ...typeOfNothing, ...importOfThatType));
  new WebAssembly.Instance(module, { m: { f: importsOnce.bind(null) } });
}
