import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { Actor, ControlReads } from '../control/reads.ts';
import { asPlimsollError, PlimsollError } from '../errors.ts';
import type { Keyring } from './auth.ts';
import { DOCS_PAGE, DOCS_SCRIPT, errorsPage, VIEWER_FILES, viewerDirectory } from './docs.ts';
import { openApiDocument } from './openapi.ts';
import { OVERVIEW_STYLE } from './overview-page.ts';
import { PreparedReads } from './prepared-reads.ts';
import { invalidInput, isServiceFault, refuse, sendProblem } from './problem.ts';
import { ROUTES, type Route, type RouteContext } from './routes.ts';
import { jsonRead, SECURITY_HEADERS, STALE_WARNING, sendRead, unreadableRequestAnswer } from './send.ts';

/** What the service tells about a request that it has answered. */
export interface RequestObserver {
  observeRequest(route: string, method: string, code: number, seconds: number): void;
}

export interface ServiceOptions {
  readonly reads: ControlReads;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: RequestObserver;
  /** The text of `/metrics` and its content type. */
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
  readonly keyring: Keyring;
  readonly version: string;
  /** Seconds of a monotonic clock, for the duration of requests. */
  readonly stopwatch: () => number;
}

/** Everything has a bound, so that no client can hold the service. */
const BOUNDS = {
  bodyBytes: 64 * 1024,
  batchBytes: 4 * 1024 * 1024,
  headerBytes: 16 * 1024,
  headersMilliseconds: 10_000,
  requestMilliseconds: 15_000,
  keepAliveMilliseconds: 30_000,
  connections: 10_000,
  urlLength: 2_048,
} as const;

/**
 * The HTTP service. Reads that are ready as bytes are answered before Express sees them; everything else goes through
 * the route table. `docs/decisions/0007-hot-path.md` has the measurement behind the split.
 */
export class Service {
  readonly #options: ServiceOptions;
  readonly #prepared: PreparedReads;
  readonly #app: Express;
  readonly #server: Server;
  readonly #forget: () => void;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#prepared = new PreparedReads(options.clock, options.reads.governance);
    const current = options.reads.currentBook();
    if (current !== null) this.#prepared.publish(current);
    const forgetters = [
      options.reads.onPublish((book) => this.#prepared.publish(book)),
      options.reads.governance.onChange(() => this.#prepared.renew()),
    ];
    this.#forget = () => {
      for (const forget of forgetters) forget();
    };
    this.#app = this.#makeApp();
    this.#server = createServer({ maxHeaderSize: BOUNDS.headerBytes }, (request, response) =>
      this.#receive(request, response),
    );
    // An expectation that is not known is ignored, as RFC 9110 section 10.1.1 allows.
    this.#server.on('checkExpectation', (request, response) => this.#receive(request, response));
    this.#server.on('clientError', (cause, socket) => this.#refuseUnreadable(cause, socket as Socket));
    this.#server.headersTimeout = BOUNDS.headersMilliseconds;
    this.#server.requestTimeout = BOUNDS.requestMilliseconds;
    this.#server.keepAliveTimeout = BOUNDS.keepAliveMilliseconds;
    this.#server.maxConnections = BOUNDS.connections;
  }

  /** @throws PlimsollError CONFIG_INVALID when the port is taken or not to be had. */
  start(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      const onError = (cause: NodeJS.ErrnoException): void => {
        const why = cause.code === 'EADDRINUSE' ? 'another program listens there' : cause.message;
        const remedy = 'Choose another port: --port 8081, or PLIMSOLL_PORT.';
        reject(
          new PlimsollError('CONFIG_INVALID', `cannot listen on ${host}:${port}: ${why}`, { remedy, cause }),
        );
      };
      this.#server.once('error', onError);
      this.#server.listen(port, host, () => {
        this.#server.off('error', onError);
        // A connection that could not be taken must not end the service.
        this.#server.on('error', (err) => this.#options.logger.error({ err }, 'the listener failed'));
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Takes no new connection, lets running requests end, and cuts off what has not ended by the deadline. */
  stop(deadlineMilliseconds: number): Promise<void> {
    this.#forget();
    return new Promise((resolve) => {
      const cut = setTimeout(() => this.#server.closeAllConnections(), deadlineMilliseconds);
      this.#server.close(() => {
        clearTimeout(cut);
        resolve();
      });
      this.#server.closeIdleConnections();
    });
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const started = this.#options.stopwatch();
    const url = request.url ?? '/';
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const prepared = isRead && this.#mayRead(request, url) ? this.#prepared.get(url) : undefined;
    response.on('close', () =>
      this.#observe(request, response, prepared === undefined ? null : patternOf(url), started),
    );
    if (prepared !== undefined) sendRead(request, response, prepared);
    else this.#app(request, response);
  }

  /** Whether a prepared read may go out before Express: a refusal is told there, with everything that belongs to it. */
  #mayRead(request: IncomingMessage, path: string): boolean {
    try {
      this.#options.keyring.requireReader(request.headers.authorization, path);
      return true;
    } catch {
      return false;
    }
  }

  /** What is no request gets an answer where one can still be sent; the connection ends either way. */
  #refuseUnreadable(cause: NodeJS.ErrnoException, socket: Socket): void {
    this.#options.logger.debug({ code: cause.code }, 'unreadable request');
    if (cause.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    socket.write(unreadableRequestAnswer(cause));
    socket.destroySoon();
  }

  #observe(
    request: IncomingMessage,
    response: ServerResponse,
    pattern: string | null,
    started: number,
  ): void {
    const route = pattern ?? (response as Response).locals?.route ?? 'none';
    const seconds = this.#options.stopwatch() - started;
    const code = response.writableFinished ? response.statusCode : 499;
    this.#options.observer.observeRequest(route, request.method ?? 'GET', code, seconds);
    if (code >= 500 && code !== 503) this.#options.logger.error({ route, code, seconds }, 'request failed');
    else this.#options.logger.debug({ route, code, seconds }, 'request');
  }

  #makeApp(): Express {
    const app = express();
    app.disable('x-powered-by');
    app.disable('etag');
    app.set('query parser', 'simple');
    app.set('case sensitive routing', true);
    app.set('strict routing', true);
    app.use((request, response, next) => this.#prepare(request, response, next));
    const byPath = new Map<string, Route[]>();
    for (const route of ROUTES) byPath.set(route.path, [...(byPath.get(route.path) ?? []), route]);
    for (const [path, routes] of byPath) this.#mount(app, path, routes);
    this.#mountDocuments(app);
    app.use((request: Request) => {
      throw refuse(
        'NOT_FOUND',
        `there is nothing at ${request.path.slice(0, 100)}`,
        'All routes are listed at /docs.',
      );
    });
    app.use((thrown: unknown, request: Request, response: Response, next: NextFunction) =>
      this.#fail(thrown, request, response, next),
    );
    return app;
  }

  #prepare(request: Request, response: Response, next: NextFunction): void {
    const given = request.headers['x-request-id'];
    const id = typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
    response.locals.requestId = id;
    response.setHeader('x-request-id', id);
    for (const [name, value] of SECURITY_HEADERS) response.setHeader(name, value);
    if (request.url.length > BOUNDS.urlLength)
      throw refuse('INPUT_INVALID', 'the address is too long', 'Shorten it.');
    this.#options.keyring.requireReader(request.headers.authorization, request.path);
    next();
  }

  #mount(app: Express, path: string, routes: readonly Route[]): void {
    const pattern = path.replaceAll(/\{(\w+)\}/g, ':$1');
    const object = express.json({ limit: BOUNDS.bodyBytes, strict: true, type: JSON_TYPE });
    const lines = express.text({ limit: BOUNDS.batchBytes, type: NDJSON_TYPE });
    for (const route of routes) {
      const handlers = [
        (request: Request, response: Response, next: NextFunction): void => {
          response.locals.route = path;
          const { authorization } = request.headers;
          if (route.isSigned) response.locals.signer = this.#options.keyring.requireSigner(authorization);
          else if (route.isWrite)
            response.locals.actor = this.#options.keyring.requireOperator(authorization);
          if (route.line !== undefined) requireType(request, NDJSON_TYPE);
          else if (route.body !== undefined && !(route.isBodyOptional && !hasBody(request)))
            requireType(request, JSON_TYPE);
          next();
        },
        ...(route.line !== undefined ? [lines] : route.body !== undefined ? [object] : []),
        (request: Request, response: Response) => this.#run(route, request, response),
      ];
      app[route.method](pattern, ...handlers);
    }
    const methods = routes.flatMap(({ method }) =>
      method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()],
    );
    refuseOtherMethods(app, pattern, path, methods);
  }

  async #run(route: Route, request: Request, response: Response): Promise<void> {
    const context: RouteContext = {
      reads: this.#options.reads,
      prepared: this.#prepared,
      clock: this.#options.clock,
      keyring: this.#options.keyring,
    };
    const answer = await route.handle(context, {
      params: parse('path', route.params, request.params) as Record<string, string>,
      query: parse('query', route.query, request.query) as Record<string, unknown>,
      body: route.body === undefined ? request.body : parse('body', route.body, bodyOf(route, request)),
      actor: String(response.locals.actor ?? ''),
      signer: (response.locals.signer as Actor | undefined) ?? null,
      headers: request.headers,
    });
    if ('prepared' in answer) {
      const prepared = this.#prepared.get(answer.prepared);
      if (prepared === undefined)
        throw refuse('NOTHING_PUBLISHED', 'no limits have been decided yet', 'Try again in a few seconds.');
      sendRead(request, response, prepared);
      return;
    }
    if (route.method === 'get' && answer.status === undefined) {
      sendRead(request, response, jsonRead(answer.json, answer.isExpired ?? false));
      return;
    }
    if (answer.isExpired) response.setHeader('warning', STALE_WARNING);
    response.setHeader('cache-control', 'no-store');
    response.status(answer.status ?? 200).json(answer.json);
  }

  #mountDocuments(app: Express): void {
    const { version, metrics } = this.#options;
    const openApi = Buffer.from(JSON.stringify(openApiDocument(version)));
    const documents: readonly (readonly [string, string, Buffer])[] = [
      ['/openapi.json', 'application/json; charset=utf-8', openApi],
      ['/docs', 'text/html; charset=utf-8', Buffer.from(DOCS_PAGE)],
      ['/docs/errors', 'text/html; charset=utf-8', Buffer.from(errorsPage())],
      ['/docs/assets/start.js', 'text/javascript; charset=utf-8', Buffer.from(DOCS_SCRIPT)],
      ['/assets/overview.css', 'text/css; charset=utf-8', Buffer.from(OVERVIEW_STYLE)],
    ];
    for (const [path, contentType, body] of documents) {
      mountDocument(app, path, (_request, response) => {
        response.setHeader('cache-control', 'public, max-age=300');
        response.type(contentType).send(body);
      });
    }
    // With a root, because a file below a folder whose name starts with a dot is not served by its full path.
    const viewer = { root: viewerDirectory(), maxAge: 300_000 };
    for (const name of VIEWER_FILES) {
      mountDocument(app, `/docs/assets/${name}`, (_request, response) => response.sendFile(name, viewer));
    }
    mountDocument(app, '/metrics', async (_request, response) => {
      const { text, contentType } = await metrics();
      response.setHeader('cache-control', 'no-store');
      response.type(contentType).send(text);
    });
    mountDocument(app, '/', (request, response) => {
      const page = this.#prepared.get('/');
      if (page !== undefined) {
        sendRead(request, response, page);
        return;
      }
      response.setHeader('retry-after', '5');
      response.status(503).type('text/html; charset=utf-8').send(NOTHING_YET_PAGE);
    });
  }

  #fail(thrown: unknown, request: Request, response: Response, next: NextFunction): void {
    if (response.headersSent) {
      next(thrown);
      return;
    }
    const failure = asPlimsollError(clientFault(thrown) ?? thrown);
    if (isServiceFault(failure))
      this.#options.logger.error({ err: failure, requestId: response.locals.requestId }, failure.message);
    // A body that was not read to its end would be taken for the next request.
    if (hasBody(request) && !request.complete) response.setHeader('connection', 'close');
    sendProblem(response, failure, String(response.locals.requestId ?? ''));
  }
}

const NOTHING_YET_PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="3"><title>Plimsoll</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/assets/overview.css"></head>
<body><h1>Plimsoll</h1><p role="status">The first limits are being decided. This page asks again by itself.</p></body></html>
`;

function bodyOf(route: Route, request: Request): unknown {
  return route.isBodyOptional && !hasBody(request) ? {} : request.body;
}

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** A page or file beside the routes of the table. */
function mountDocument(
  app: Express,
  path: string,
  send: (request: Request, response: Response) => void | Promise<void>,
): void {
  app.get(path, (request, response) => {
    response.locals.route = path;
    return send(request, response);
  });
  refuseOtherMethods(app, path, path, ['GET', 'HEAD']);
}

function refuseOtherMethods(app: Express, pattern: string, route: string, methods: readonly string[]): void {
  const allow = methods.join(', ');
  app.all(pattern, (request: Request, response: Response) => {
    response.locals.route = route;
    response.setHeader('allow', allow);
    throw refuse(
      'METHOD_NOT_ALLOWED',
      `${request.method} is not answered here`,
      `This route answers ${allow}.`,
    );
  });
}

const JSON_TYPE = 'application/json';
const NDJSON_TYPE = 'application/x-ndjson';

function requireType(request: Request, type: string): void {
  if (request.is(type) === false || request.headers['content-type'] === undefined)
    throw refuse('NOT_ACCEPTABLE_BODY', `the body must be ${type}`, `Set the header content-type: ${type}.`);
}

function parse(what: string, schema: Route['body'], value: unknown): unknown {
  if (schema === undefined) return {};
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalidInput(what, result.error);
}

/** What Express and its body parser throw for faults of the client, in our words. */
function clientFault(thrown: unknown): PlimsollError | null {
  const { status, type, limit } = (thrown ?? {}) as { status?: number; type?: string; limit?: number };
  if (thrown instanceof PlimsollError || typeof status !== 'number' || status >= 500) return null;
  if (status === 413)
    return refuse(
      'BODY_TOO_LARGE',
      `the body is larger than ${limit ?? BOUNDS.bodyBytes} bytes`,
      'Send a smaller one.',
    );
  if (status === 415)
    return refuse(
      'NOT_ACCEPTABLE_BODY',
      'the encoding of the body is not known',
      'Send plain or gzip UTF-8 JSON.',
    );
  if (type === 'entity.parse.failed')
    return refuse('INPUT_INVALID', 'the body is not valid JSON', 'Send one JSON object.');
  if (status === 404) return refuse('NOT_FOUND', 'there is nothing here', 'All routes are listed at /docs.');
  return refuse('INPUT_INVALID', 'the request could not be read', 'Check its address, headers and body.');
}

/** The route of a prepared read, for the metrics: symbols would make one series a market. */
function patternOf(path: string): string {
  return path.replace(/^\/v1\/markets\/[^/]+\//, '/v1/markets/{symbol}/');
}
