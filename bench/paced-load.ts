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

/**
 * Posts requests evenly in time, each on a connection that is free, and counts from when each was due: what waits for an answer
 * before it counts as waiting (no coordinated omission). Other load generators send what is due in a second at the beginning of it.
 *
 * @returns latencies in milliseconds, in the order in which they were due.
 */
export async function pacedLatencies(load: PacedLoad): Promise<Float64Array> {
  const { port, path, body, requestsPerSecond, seconds, connections } = load;
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  const request = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
  const total = Math.floor(requestsPerSecond * seconds);
  const latencies = new Float64Array(total);
  const step = 1000 / requestsPerSecond;
  const free: Socket[] = [];
  const asked = new Map<Socket, number>();
  const finished = Promise.withResolvers<void>();
  let [sent, done, begunAt] = [0, 0, 0];
  const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1'));
  for (const socket of sockets) {
    socket.setNoDelay(true);
    let waiting = '';
    socket.on('data', (chunk) => {
      waiting += chunk.toString('latin1');
      if (!isWhole(waiting)) return;
      if (!waiting.startsWith('HTTP/1.1 200')) finished.reject(new Error(waiting.slice(0, 200)));
      waiting = '';
      const which = asked.get(socket) as number;
      latencies[which] = performance.now() - (begunAt + which * step);
      free.push(socket);
      if (++done === total) finished.resolve();
    });
    socket.on('error', (error) => finished.reject(error));
  }
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  free.push(...sockets);
  begunAt = performance.now();
  const send = (): void => {
    while (sent < total && free.length > 0 && performance.now() >= begunAt + sent * step) {
      const socket = free.shift() as Socket;
      asked.set(socket, sent++);
      socket.write(request);
    }
    // A timer would come a millisecond late.
    if (sent < total) setImmediate(send);
  };
  send();
  await finished.promise;
  for (const socket of sockets) socket.destroy();
  return latencies;
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1];
  return length !== undefined && text.length >= end + 4 + Number(length);
}
