import { type ChildProcess, fork } from 'node:child_process';
import { PlimsollError } from '../src/errors.ts';
import { siblingUrl } from '../src/program.ts';
import type { Recipe } from './pieces.ts';
import type { FinishedPieces } from './run.ts';
import type {
  AssembledVersion,
  AssembleTask,
  OpenedWindow,
  WindowAnswer,
  WindowRequest,
} from './window-process.ts';

const GRACE_MILLISECONDS = 5_000;

/** A process that computes for a worker; one thing at a time. It may be ended at any moment: what it did not hand over was not done. */
export class WindowWork {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #heard: (answer: WindowAnswer) => void = () => {};
  #failed: (error: Error) => void = () => {};
  #end: PlimsollError | null = null;

  constructor() {
    this.#child = fork(siblingUrl(import.meta.url, 'window-process'), [], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // Bytes go as bytes.
      serialization: 'advanced',
    });
    this.#ended = new Promise((resolve) => {
      const over = (why: string): void => {
        this.#end ??= new PlimsollError('INTERNAL', `the process that computes ended with ${why}`);
        this.#failed(this.#end);
        resolve();
      };
      this.#child.once('exit', (code, signal) => over(String(signal ?? code)));
      // Also of a message that could not be sent any more.
      this.#child.on('error', (cause) => over(cause.message));
    });
    this.#child.on('message', (answer: WindowAnswer) => this.#heard(answer));
  }

  /** Whether it can be asked for more. */
  isAlive(): boolean {
    return this.#end === null;
  }

  /** Loads the bars of a window and says what they are. @throws PlimsollError DATA_INSUFFICIENT, INTERNAL where the process ended. */
  async open(dataDir: string, recipe: Recipe): Promise<OpenedWindow> {
    const answer = await this.#ask({ kind: 'open', dataDir, recipe });
    if (answer.kind === 'opened') return answer.opened;
    throw unexpected(answer);
  }

  /** Makes a piece of the window that is open. @throws PlimsollError INPUT_INVALID for a name that is none; INTERNAL. */
  async make(name: string): Promise<Uint8Array> {
    const answer = await this.#ask({ kind: 'make', name });
    if (answer.kind === 'made') return answer.bytes;
    throw unexpected(answer);
  }

  /**
   * Brings the pieces of a run together: a version in the registry of the data folder.
   *
   * @throws PlimsollError DATA_DIFFERS where the bars are not those of its window; LOCKED while another training runs in the folder;
   *   INTERNAL.
   */
  async assemble(task: AssembleTask, pieces: FinishedPieces): Promise<AssembledVersion> {
    const iterator = pieces[Symbol.asyncIterator]();
    let answer = await this.#ask({ kind: 'assemble', task });
    while (answer.kind === 'next') {
      const { done, value } = await iterator.next();
      answer = await this.#ask({ kind: 'piece', piece: done === true ? null : value });
    }
    if (answer.kind === 'assembled') return answer.assembled;
    throw unexpected(answer);
  }

  /** Ends it, whatever it does. */
  async end(): Promise<void> {
    this.#child.kill('SIGTERM');
    // In the midst of a long computation it does not hear.
    const grace = setTimeout(() => this.#child.kill('SIGKILL'), GRACE_MILLISECONDS);
    await this.#ended;
    clearTimeout(grace);
  }

  #ask(request: WindowRequest): Promise<WindowAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#end !== null) {
        reject(this.#end);
        return;
      }
      this.#failed = reject;
      this.#heard = (answer) => {
        if (answer.kind !== 'failed') resolve(answer);
        else {
          const { code, message, remedy } = answer;
          reject(new PlimsollError(code, message, remedy === undefined ? {} : { remedy }));
        }
      };
      this.#child.send(request);
    });
  }
}

function unexpected({ kind }: WindowAnswer): PlimsollError {
  return new PlimsollError('INTERNAL', `the process that computes answered ${kind}`);
}
