import type { PlimsollError } from '../../errors.ts';
import type { BatchReport, RefusedLine } from '../accounts/account-desk.ts';
import type { EventLog, LogEntry, Topic } from './event-log.ts';

/** Lines of a request are appended in pieces of at most so many characters, each one event. */
export const MOST_LINE_CHARACTERS = 128 * 1024;

interface Waiting {
  readonly resolve: (report: BatchReport) => void;
  readonly reject: (error: PlimsollError) => void;
}

/** Takes what comes by HTTP to the stream of the shard, and brings back what became of it. */
export class ShardIntake {
  readonly #log: EventLog;
  readonly #topic: Topic;
  readonly #session: string;
  readonly #waiting = new Map<string, Waiting>();
  #sent = 0;

  /** @param session names this intake, so that no event of another one, here or elsewhere, is taken for one of its own. */
  constructor(log: EventLog, partition: number, session: string) {
    this.#log = log;
    this.#topic = `accounts.${partition}`;
    this.#session = session;
  }

  /** Comes back once all lines are in the stream, and what they cause is in the journal. */
  async take(text: string): Promise<BatchReport> {
    const { events, tooLong } = eventsOf(text);
    const reports = await Promise.all(events.map(({ text: lines }) => this.#send(lines)));
    const refused: RefusedLine[] = reports.flatMap((report, i) =>
      report.refused.map((one) => ({ ...one, line: one.line + events[i].firstLine - 1 })),
    );
    refused.push(...tooLong);
    const total = reports.reduce((sum, report) => sum + report.total, tooLong.length);
    return { total, accepted: total - refused.length, refused: refused.sort((a, b) => a.line - b.line) };
  }

  /** @returns false where nobody here has sent the event. */
  taken({ id }: LogEntry, report: BatchReport): boolean {
    const waiting = id === null ? undefined : this.#waiting.get(id);
    waiting?.resolve(report);
    return waiting !== undefined;
  }

  fail(error: PlimsollError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
  }

  async #send(text: string): Promise<BatchReport> {
    const id = `${this.#session}-${++this.#sent}`;
    const { promise, resolve, reject } = Promise.withResolvers<BatchReport>();
    // It may fail while it is still being sent.
    promise.catch(() => undefined);
    this.#waiting.set(id, { resolve, reject });
    try {
      await this.#log.append(this.#topic, new TextEncoder().encode(text), { id });
      return await promise;
    } finally {
      this.#waiting.delete(id);
    }
  }
}

interface LinesEvent {
  readonly text: string;
  readonly firstLine: number;
}

/** Whole lines, in their order. */
function eventsOf(text: string): { readonly events: readonly LinesEvent[]; readonly tooLong: RefusedLine[] } {
  const events: LinesEvent[] = [];
  const tooLong: RefusedLine[] = [];
  let [start, firstLine, line] = [0, 1, 0];
  const end = (until: number): void => {
    if (text.slice(start, until).trim() !== '') events.push({ text: text.slice(start, until), firstLine });
  };
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf('\n', from);
    const until = newline < 0 ? text.length : newline;
    line++;
    if (until - from > MOST_LINE_CHARACTERS) {
      end(from);
      tooLong.push(tooLongLine(line));
      [start, firstLine] = [until + 1, line + 1];
    } else if (until - start > MOST_LINE_CHARACTERS) {
      end(from);
      [start, firstLine] = [from, line];
    }
    from = until + 1;
  }
  end(text.length);
  return { events, tooLong };
}

export function tooLongLine(line: number): RefusedLine {
  return {
    ...{ line, accountId: null, outcome: 'refused', code: 'ACCOUNT_INVALID' },
    message: `a line of more than ${MOST_LINE_CHARACTERS} characters`,
  };
}
