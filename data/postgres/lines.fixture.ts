import { execFileSync } from 'node:child_process';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** How one process of a fault test reaches the database. */
export interface Line {
  /** Of the database, as the process is told. */
  readonly url: string;
  /** The command that the process is started by, if any. */
  readonly through: readonly string[];
  /** Nothing goes either way from now on, and nobody is told. */
  cut(): void;
  mend(): void;
  close(): void;
}

/** Through this process, which passes bytes on. */
export class Wire implements Line {
  readonly url: string;
  readonly through: readonly string[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #isCut = false;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async to(url: string): Promise<Wire> {
    const far = new URL(url);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const near = new URL(url);
    near.hostname = '127.0.0.1';
    near.port = String((server.address() as { port: number }).port);
    const wire = new Wire(server, near.href);
    server.on('connection', (socket) => wire.#join(socket, connect(Number(far.port || 5432), '127.0.0.1')));
    return wire;
  }

  #join(near: Socket, far: Socket): void {
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      this.#sockets.add(one);
      one.on('data', (bytes) => {
        if (!this.#isCut) other.write(bytes);
      });
      one.on('error', () => undefined);
      one.on('close', () => {
        this.#sockets.delete(one);
        if (!this.#isCut) other.destroy();
      });
    }
  }

  cut(): void {
    this.#isCut = true;
  }

  /** What was open is broken by now, and both ends see it. */
  mend(): void {
    this.#isCut = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.mend();
    this.#server.close();
  }
}

/**
 * A switch of this machine and network namespaces behind it, for whoever is root. A process in one of them sees a machine of its
 * own, and a cable that is pulled: packets are lost, also those of new connections, and no end is told.
 */
export class Switch {
  /** Of the private addresses, one that hardly anybody uses. Nothing of it leaves the machine. */
  static readonly NETWORK = '10.213.77';
  static readonly address = `${Switch.NETWORK}.1`;
  readonly #name = `plim${process.pid}`;
  #plugged = 1;

  static open(): Switch {
    const own = new Switch();
    ip('link', 'add', own.#name, 'type', 'bridge');
    ip('addr', 'add', `${Switch.address}/24`, 'dev', own.#name);
    ip('link', 'set', own.#name, 'up');
    return own;
  }

  /** A new namespace, with a cable to the switch. @param url of the database, which listens on the switch's address. */
  plug(url: string): Line {
    const number = ++this.#plugged;
    const [room, plug] = [`${this.#name}-${number}`, `${this.#name}p${number}`];
    ip('netns', 'add', room);
    ip('link', 'add', plug, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', room);
    ip('link', 'set', plug, 'master', this.#name, 'up');
    ip('-n', room, 'addr', 'add', `${Switch.NETWORK}.${number}/24`, 'dev', 'eth0');
    ip('-n', room, 'link', 'set', 'eth0', 'up');
    const near = new URL(url);
    near.hostname = Switch.address;
    return {
      url: near.href,
      through: ['ip', 'netns', 'exec', room],
      cut: () => ip('link', 'set', plug, 'nomaster'),
      mend: () => ip('link', 'set', plug, 'master', this.#name),
      close: () => {
        ip('link', 'del', plug);
        ip('netns', 'del', room);
      },
    };
  }

  close(): void {
    ip('link', 'del', this.#name);
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
