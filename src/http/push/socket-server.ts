import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { asPlimsollError, type PlimsollError } from '../../errors.ts';
import { PROBLEM_TYPE, problemOf } from '../problem.ts';
import type { ContractInfoStream } from './contract-info-stream.ts';
import type { Frame } from './frames.ts';
import type { PushHub, Reader } from './hub.ts';
import type { SocketRequest } from './socket-request.ts';

/** Readers have little to say. */
const MOST_BYTES = 4096;
const END_MILLISECONDS = 5000;
/** RFC 6455, section 7.4.1: the server goes away, or the reader has broken a rule. */
export const CLOSE_CODE = 1001;

export interface SocketServerOptions {
  readonly hub: PushHub;
  readonly contractInfo: ContractInfoStream;
  /** @throws PlimsollError for whoever may not read. */
  readonly admit: (request: IncomingMessage) => Promise<SocketRequest>;
  readonly onRefused: (failure: PlimsollError) => void;
}

/** The feed over WebSocket: the same events under the same numbers, one JSON message each. Beside it, Binance's stream. */
export class SocketServer {
  readonly #options: SocketServerOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MOST_BYTES,
    perMessageDeflate: false,
  });

  constructor(options: SocketServerOptions) {
    this.#options = options;
  }

  /** Answers an upgrade; one that is refused gets a problem over plain HTTP. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    let wanted: SocketRequest;
    socket.on('error', () => socket.destroy());
    try {
      wanted = await this.#options.admit(request);
    } catch (thrown) {
      const failure = asPlimsollError(thrown);
      this.#options.onRefused(failure);
      refuseUpgrade(socket, failure);
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (connection) => {
      const { hub, contractInfo } = this.#options;
      connection.on('error', () => connection.terminate());
      if (wanted.kind === 'contractInfo') {
        contractInfo.join(connection, wanted);
        return;
      }
      const reader = new SocketReader(connection);
      connection.on('close', () => hub.leave(reader));
      hub.join(reader, wanted.subscription).catch(() => connection.close(1011));
    });
  }
}

class SocketReader implements Reader {
  readonly #connection: WebSocket;

  constructor(connection: WebSocket) {
    this.#connection = connection;
  }

  get isOpen(): boolean {
    return this.#connection.readyState === WebSocket.OPEN;
  }

  get waitingBytes(): number {
    return this.#connection.bufferedAmount;
  }

  send(frame: Frame): void {
    if (this.isOpen) this.#connection.send(frame.message);
  }

  end(frame: Frame): void {
    this.send(frame);
    this.#connection.close(CLOSE_CODE);
    setTimeout(() => this.#connection.terminate(), END_MILLISECONDS).unref();
  }
}

function refuseUpgrade(socket: Duplex, failure: PlimsollError): void {
  const problem = problemOf(failure, '');
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\ncontent-type: ${PROBLEM_TYPE}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
