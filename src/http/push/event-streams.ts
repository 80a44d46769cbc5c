import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse as parseQuery } from 'node:querystring';
import { type Caller, requireSubjects } from '../access/caller.ts';
import { type Arrived, admissionOf, type Gate } from '../access/gate.ts';
import { BOUNDS } from '../bounds.ts';
import { refuse } from '../problem.ts';
import { requestIdOf } from '../request-id.ts';
import { hasBody, parse } from '../request-input.ts';
import { SECURITY_HEADERS } from '../send.ts';
import { traceOf } from '../trace.ts';
import { EventStreamReader, STREAM_HEAD } from './event-stream.ts';
import type { PushHub, Subscription } from './hub.ts';
import { pushQuery, STREAM_PATH, subscriptionOf } from './push-routes.ts';

export interface EventStreamsOptions {
  readonly hub: PushHub;
  readonly gate: Gate;
  /** Of a stream that has begun. */
  readonly onFailure: (thrown: unknown) => void;
}

/**
 * Begins streams of server-sent events before Express sees them: what a router keeps of a request is as much as the rest of a
 * reader, and a reader stays for days.
 */
export class EventStreams {
  readonly #options: EventStreamsOptions;

  constructor(options: EventStreamsOptions) {
    this.#options = options;
  }

  /** @param giveBack takes over what gets no stream, and ends in `refuse`; nothing was sent and no body read by then. */
  async answer(request: Arrived, response: ServerResponse, giveBack: () => void): Promise<void> {
    if ((request.method !== 'GET' && request.method !== 'HEAD') || hasBody(request)) {
      giveBack();
      return;
    }
    try {
      await this.#begin(request, response);
    } catch (thrown) {
      if (!response.headersSent) {
        giveBack();
        return;
      }
      this.#options.onFailure(thrown);
      response.destroy();
    }
  }

  /** In Express, for what `answer` gave back. @throws PlimsollError always. */
  refuse(request: Arrived): never {
    this.#admitted(request);
    throw refuse('INPUT_INVALID', 'a stream is asked for without a body', 'Leave the body out.');
  }

  /** @throws PlimsollError as `#admitted`. */
  async #begin(request: Arrived, response: ServerResponse): Promise<void> {
    const { gate, hub } = this.#options;
    const { headers } = request;
    await gate.settleToken(request, null);
    const { subscription, caller } = this.#admitted(request);
    const requestId = requestIdOf(headers);
    const trace = traceOf(headers);
    Object.assign(response, { locals: { route: STREAM_PATH, requestId, traceId: trace?.id } });
    const head = ['x-request-id', requestId, ...admissionOf(request).headers, ...COMMON_HEAD];
    if (trace !== null) head.push('traceparent', trace.traceparent);
    if (request.method === 'HEAD') {
      response.writeHead(200, [...head, ...STREAM_HEAD]).end();
      return;
    }
    const reader = new EventStreamReader(request, response, head, (gone) => hub.leave(gone));
    release(request);
    await hub.join(reader, { ...subscription, mayStay: () => gate.mayStay(caller) });
  }

  /** @throws PlimsollError for whoever may not read, for an address that is not valid, and as `requireRoom`. */
  #admitted(request: Arrived): { readonly subscription: Subscription; readonly caller: Caller | null } {
    const { gate, hub } = this.#options;
    const { url = '', headers } = request;
    if (url.length > BOUNDS.urlLength)
      throw refuse('INPUT_INVALID', 'the address is too long', 'Shorten it.');
    const caller = gate.enter(request, 'feed:read');
    if (caller !== null) requireSubjects(caller, null);
    const seen = headers['last-event-id'];
    const query = parse('query', pushQuery, { ...parseQuery(url.slice(STREAM_PATH.length + 1)) });
    const subscription = subscriptionOf(query, typeof seen === 'string' ? seen : undefined, caller);
    hub.requireRoom();
    return { subscription, caller };
  }
}

const COMMON_HEAD = SECURITY_HEADERS.flat();

/** Of what a request said nothing is asked again while its stream is open. */
function release(request: Arrived): void {
  request.admission = undefined;
  request.headers = {};
  request.rawHeaders = NOTHING;
}

const NOTHING: IncomingMessage['rawHeaders'] = [];
