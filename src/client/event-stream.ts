/** One message of server-sent events (WHATWG HTML, section 9.2.6). */
export interface StreamEvent {
  /** Null where the message has none of its own. */
  readonly id: string | null;
  readonly kind: string;
  readonly data: string;
}

/** No book is larger: what is, is no stream of ours. */
const MOST_CHARACTERS = 64 * 1024 * 1024;

/** Takes text as it comes and gives whole messages. What a connection breaks off in the middle of is never one. */
export class EventStreamParser {
  /** Pieces of a line that has no end yet, joined once: a large message comes in many. */
  #pieces: string[] = [];
  #waiting = 0;
  #id: string | null = null;
  #kind = '';
  #data: string[] = [];

  /** @throws Error where more waits than any message has. */
  take(text: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    this.#waiting += text.length;
    if (this.#waiting > MOST_CHARACTERS) throw new Error('a message does not end');
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      const line = this.#pieces.join('') + text.slice(from, end);
      this.#pieces = [];
      from = end + 1;
      const event = this.#line(line.endsWith('\r') ? line.slice(0, -1) : line);
      if (event !== null) {
        events.push(event);
        this.#waiting = text.length - from;
      }
    }
    if (from < text.length) this.#pieces.push(text.slice(from));
    return events;
  }

  #line(line: string): StreamEvent | null {
    if (line === '') return this.#end();
    const colon = line.indexOf(':');
    // A comment.
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const rest = colon < 0 ? '' : line.slice(colon + 1);
    const value = rest.startsWith(' ') ? rest.slice(1) : rest;
    if (field === 'id') this.#id = value;
    else if (field === 'event') this.#kind = value;
    else if (field === 'data') this.#data.push(value);
    return null;
  }

  #end(): StreamEvent | null {
    const event = { id: this.#id, kind: this.#kind, data: this.#data.join('\n') };
    const isEmpty = this.#data.length === 0;
    this.#id = null;
    this.#kind = '';
    this.#data = [];
    return isEmpty ? null : event;
  }
}
