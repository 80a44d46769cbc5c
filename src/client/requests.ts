/** What a hook is told: a name, what is known of it, and how long it took. Fits OpenTelemetry's spans and histograms. */
export type Observe = (
  name: string,
  attributes: Readonly<Record<string, string | number | boolean>>,
  seconds: number,
) => void;

export interface RequestOptions {
  /** Of the service, without a path of ours. */
  readonly url: string;
  readonly key?: string | undefined;
  /** W3C trace context, sent with every request. */
  readonly traceparent?: string | (() => string | undefined) | undefined;
  readonly fetch?: typeof fetch | undefined;
  /** A request that answers in one piece is given up after this. */
  readonly requestSeconds: number;
}

/** The service has answered, and refused. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'Refused';
    this.status = status;
    this.code = code;
  }
}

/** Requests to the service, with what belongs to each. */
export class Requests {
  readonly #options: RequestOptions;
  readonly #base: string;

  constructor(options: RequestOptions) {
    this.#options = options;
    this.#base = options.url.replace(/\/+$/, '');
  }

  /** @throws Refused for any answer but a good one; Error where there is none in time. */
  async json(path: string, signal: AbortSignal): Promise<unknown> {
    const late = AbortSignal.timeout(this.#options.requestSeconds * 1000);
    const response = await this.#send(path, {}, AbortSignal.any([signal, late]));
    return response.json();
  }

  /** @throws Refused for anything but server-sent events. */
  async stream(
    path: string,
    lastEventId: string | null,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#send(
      path,
      { accept: 'text/event-stream', ...(lastEventId === null ? {} : { 'last-event-id': lastEventId }) },
      signal,
    );
    const type = response.headers.get('content-type') ?? '';
    if (!type.startsWith('text/event-stream') || response.body === null)
      throw new Refused(response.status, 'NOT_A_STREAM', `the stream is ${type || 'without a type'}`);
    return response.body;
  }

  async #send(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const { key, traceparent } = this.#options;
    const trace = typeof traceparent === 'function' ? traceparent() : traceparent;
    const send = this.#options.fetch ?? fetch;
    const response = await send(`${this.#base}${path}`, {
      headers: {
        ...headers,
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(trace === undefined ? {} : { traceparent: trace }),
      },
      signal,
      // A key must not follow to where it was not given for.
      redirect: 'error',
    });
    if (response.status === 200) return response;
    throw await refusalOf(response);
  }
}

async function refusalOf(response: Response): Promise<Refused> {
  try {
    const { code, detail } = (await response.json()) as { code?: unknown; detail?: unknown };
    return new Refused(
      response.status,
      String(code ?? 'UNKNOWN'),
      `${response.status}: ${String(detail ?? '')}`,
    );
  } catch {
    return new Refused(response.status, 'UNKNOWN', `it answered ${response.status}`);
  }
}
