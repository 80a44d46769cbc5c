import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface PacedLoad {
  readonly port: number;
  readonly path: string;
  /** JSON. */
  readonly body: string;
  readonly requestsPerSecond: number;
  readonly seconds: number;
  readonly connections: number;
}

/** Milliseconds, in the order in which requests were due. */
export interface PacedRun {
  /** From when each was due until its answer was read whole. */
  readonly latencies: Float64Array;
  /**
   * What of it is the generator's own: from when a request was due and a connection free for it until it was written. It stays in the
   * latency; where it is as long, the generator was measured and not the server.
   */
  readonly lateness: Float64Array;
}

/** No answer of a benchmark is larger; one that is comes in several pieces. */
const READ_BYTES = 16_384;

/**
 * Posts requests evenly in time, each on a connection that is free, and counts from when each was due: what waits for an answer
 * before it counts as waiting (no coordinated omission). Other load generators send what is due in a second at the beginning of it.
 *
 * It shares the machine with what it measures, so a request costs it little: connections read into memory of their own, where Node gives
 * every read a new 64 kB, and an answer whose head is laid out as the one before is not searched.
 */
export async function pacedLoad(load: PacedLoad): Promise<PacedRun> {
  const { port, path, body, requestsPerSecond, seconds, connections } = load;
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  const request = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
  const total = Math.floor(requestsPerSecond * seconds);
  const [latencies, lateness] = [new Float64Array(total), new Float64Array(total)];
  const step = 1000 / requestsPerSecond;
  const free: Connection[] = [];
  const finished = Promise.withResolvers<void>();
  const layout = new AnswerLayout();
  let [sent, done, begunAt] = [0, 0, 0];
  /** No connection is free: the next answer is what sends. */
  let isStalled = false;
  const answered = (connection: Connection): void => {
    connection.freeAt = performance.now();
    latencies[connection.which] = connection.freeAt - (begunAt + connection.which * step);
    free.push(connection);
    if (++done === total) finished.resolve();
    else if (isStalled) send();
  };
  const all = Array.from(
    { length: connections },
    () => new Connection(port, layout, answered, finished.reject),
  );
  await Promise.all(all.map(({ socket }) => once(socket, 'connect')));
  free.push(...all);
  begunAt = performance.now();
  const send = (): void => {
    for (let now = performance.now(); sent < total && now >= begunAt + sent * step; now = performance.now()) {
      const connection = free.shift();
      if (connection === undefined) break;
      lateness[sent] = now - Math.max(begunAt + sent * step, connection.freeAt);
      connection.which = sent++;
      connection.socket.write(request);
    }
    isStalled = free.length === 0;
    // A timer would come a millisecond late.
    if (sent < total && !isStalled) setImmediate(send);
  };
  send();
  await finished.promise;
  for (const { socket } of all) socket.destroy();
  return { latencies, lateness };
}

/** One request at a time. */
class Connection {
  readonly socket: Socket;
  /** The request that it waits for. */
  which = 0;
  /** Since when it waits for none, by `performance.now`. */
  freeAt = 0;

  constructor(
    port: number,
    layout: AnswerLayout,
    answered: (connection: Connection) => void,
    failed: (error: Error) => void,
  ) {
    let begun = Buffer.alloc(0);
    const read = (count: number, buffer: Uint8Array): boolean => {
      const bytes = Buffer.from(buffer.buffer, buffer.byteOffset, count);
      const whole = begun.length === 0 ? bytes : Buffer.concat([begun, bytes]);
      if (!layout.isWhole(whole)) {
        begun = Buffer.from(whole);
        return true;
      }
      begun = Buffer.alloc(0);
      if (layout.isOk) answered(this);
      else failed(new Error(whole.toString('latin1', 0, 200)));
      return true;
    };
    const onread = { buffer: Buffer.alloc(READ_BYTES), callback: read };
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
    this.socket.on('error', failed);
  }
}

/** Where things are in an answer: those that come one after the other are mostly as long as each other. */
class AnswerLayout {
  /** Of the answer that was looked at last. */
  isOk = false;
  /** The line of the length, where it stands, and how long the whole answer is. */
  #line = '';
  #at = 0;
  #bytes = 0;

  isWhole(answer: Buffer): boolean {
    const isAsBefore =
      answer.length === this.#bytes &&
      answer.toString('latin1', this.#at, this.#at + this.#line.length).toLowerCase() === this.#line;
    if (!isAsBefore && !this.#isFound(answer)) return false;
    this.isOk = answer.toString('latin1', 0, OK.length) === OK;
    return true;
  }

  #isFound(answer: Buffer): boolean {
    const end = answer.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const head = answer.toString('latin1', 0, end + 2).toLowerCase();
    const found = /\r\ncontent-length: (\d+)\r\n/.exec(head);
    if (found === null) return false;
    const bytes = end + 4 + Number(found[1]);
    if (answer.length < bytes) return false;
    [this.#line, this.#at, this.#bytes] = [found[0], found.index, bytes];
    return true;
  }
}

const OK = 'HTTP/1.1 200';
