import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A line to a server that can be cut, at once or after so many bytes, and led to another one. */
export class TestLine {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Address of the server; null while nobody answers. */
  target: string | null;
  /** Answers are cut after so many bytes. */
  bytesOf: () => number = () => Number.POSITIVE_INFINITY;
  connections = 0;

  private constructor(target: string) {
    this.target = target;
    this.#server = createServer((near) => this.#join(near));
  }

  static async to(target: string): Promise<TestLine> {
    const line = new TestLine(target);
    await new Promise<void>((resolve) => line.#server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket): void {
    this.connections++;
    near.on('error', () => undefined);
    if (this.target === null) {
      near.destroy();
      return;
    }
    const far = connect(Number(new URL(this.target).port), '127.0.0.1');
    far.on('error', () => undefined);
    let left = this.bytesOf();
    far.on('data', (bytes: Buffer) => {
      near.write(bytes.subarray(0, Math.max(left, 0)));
      left -= bytes.length;
      if (left <= 0) near.end(() => near.destroy());
    });
    near.pipe(far);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      this.#sockets.add(one);
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}

export interface FalseAnswer {
  readonly status?: number;
  readonly type?: string;
  readonly body: string;
  /** It stays open after the body. */
  readonly isOpen?: boolean;
}

/** A server that says what it is told to on the stream, and the right policy. */
export class FalseServer {
  readonly #server: HttpServer;
  answer: FalseAnswer = { body: '' };
  streams = 0;

  private constructor(policy: string) {
    this.#server = createHttpServer((request, response) => {
      if (!request.url?.startsWith('/v1/stream')) {
        response.end(policy);
        return;
      }
      this.streams++;
      const { status = 200, type = 'text/event-stream', body, isOpen } = this.answer;
      response.writeHead(status, { 'content-type': type });
      response.write(body);
      if (!isOpen) response.end();
    });
  }

  static async start(policy: string): Promise<FalseServer> {
    const made = new FalseServer(policy);
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
