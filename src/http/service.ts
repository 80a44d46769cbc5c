import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { stopwatchSeconds } from '../clock.ts';
import { isWriteScope } from '../control/ports.ts';
import { asPlimsollError, type PlimsollError } from '../errors.ts';
import { requireSubjects } from './access/caller.ts';
import { type Arrived, admissionOf, Gate } from './access/gate.ts';
import { IdempotentWrites } from './access/idempotent-writes.ts';
import { UNLIMITED } from './access/rate-limits.ts';
import { RefusalLog } from './access/refusal-log.ts';
import { replayed } from './access/signatures.ts';
import { BOUNDS, boundConnections, OVERLOADED, serverOptions } from './bounds.ts';
import { CONSOLE_ROUTE, consoleReads } from './console.ts';
import { mountDocuments, refuseOtherMethods } from './documents.ts';
import { venueOf } from './exchange/venues.ts';
import { type ListenAt, Listener } from './listener.ts';
import { LoadGauge, patienceOf } from './load-gauge.ts';
import { PreparedReads } from './prepared-reads.ts';
import { isServiceFault, refuse, sendProblem } from './problem.ts';
import { ContractInfoStream } from './push/contract-info-stream.ts';
import { EventStreams } from './push/event-streams.ts';
import { PushHub } from './push/hub.ts';
import { pushQuery, STREAM_PATH, subscriptionOf } from './push/push-routes.ts';
import { contractInfoRequest, type SocketRequest } from './push/socket-request.ts';
import { CLOSE_CODE, SocketServer } from './push/socket-server.ts';
import { answerCheck, isPlainCheck } from './quick-check.ts';
import { requestIdOf } from './request-id.ts';
import {
  clientFault,
  hasBody,
  JSON_TYPE,
  NDJSON_TYPE,
  parse,
  patternOf,
  requireType,
} from './request-input.ts';
import { RequestLog } from './request-log.ts';
import { ROUTES, type Route, type RouteAnswer, type RouteContext, touchedBy } from './routes.ts';
import {
  jsonRead,
  type PreparedRead,
  SECURITY_HEADERS,
  STALE_WARNING,
  sendRead,
  sendRefusal,
  unreadableRequestAnswer,
} from './send.ts';
import type { ServiceOptions } from './service-options.ts';
import { tracedHeaders, traceOfRequest } from './trace.ts';

/**
 * The HTTP service. Reads that are ready as bytes are answered before Express sees them; everything else goes through
 * the route table. `docs/decisions/0007-hot-path.md` has the measurement behind the split.
 */
export class Service {
  readonly #options: ServiceOptions;
  readonly #prepared: PreparedReads;
  readonly #console: ReadonlyMap<string, PreparedRead>;
  readonly #gate: Gate;
  readonly #refusals: RefusalLog;
  readonly #told: RequestLog;
  readonly #writes: IdempotentWrites;
  readonly #context: RouteContext;
  readonly #app: Express;
  readonly #server: Server;
  readonly #listener: Listener;
  readonly #hub: PushHub;
  readonly #streams: EventStreams;
  readonly #gauge: LoadGauge;
  readonly #contractInfo: ContractInfoStream;
  readonly #forget: () => void;

  constructor(options: ServiceOptions) {
    this.#options = options;
    const { stopwatch, rateLimits = UNLIMITED } = options;
    this.#console = consoleReads(options.consoleFolder);
    this.#gate = new Gate({ ...options, limits: rateLimits, seconds: stopwatch });
    this.#told = new RequestLog(options);
    this.#refusals = new RefusalLog(options.logger, options.accessObserver, stopwatch);
    this.#writes = new IdempotentWrites(options.answers, options.clock);
    this.#prepared = new PreparedReads(options.clock, options.reads);
    const current = options.reads.currentBook();
    if (current !== null) this.#prepared.publish(current);
    this.#hub = new PushHub(options.reads, () => this.#prepared.get('/v1/limits')?.plain);
    this.#streams = new EventStreams({
      hub: this.#hub,
      gate: this.#gate,
      onFailure: (err) => options.logger.error({ err }, 'a stream failed'),
    });
    this.#contractInfo = new ContractInfoStream(options.reads);
    const forgetters = [
      options.reads.onPublish((book) => this.#prepared.publish(book)),
      options.reads.governance.onChange(() => this.#prepared.renew()),
    ];
    this.#forget = () => {
      for (const forget of forgetters) forget();
    };
    const { reads, clock, keyring } = options;
    const isDraining = (): boolean => this.#listener.isDraining;
    this.#context = { reads, prepared: this.#prepared, clock, keyring, isDraining };
    this.#app = this.#makeApp();
    this.#server = createServer(serverOptions(options.patience), (request, response) =>
      this.#receive(request, response),
    );
    const sockets = new SocketServer({
      hub: this.#hub,
      contractInfo: this.#contractInfo,
      admit: (request) => this.#admitSocket(request),
      onRefused: (failure) => this.#refusals.tell(failure, { route: '/ws' }),
    });
    this.#server.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head));
    // An expectation that is not known is ignored, as RFC 9110 section 10.1.1 allows.
    this.#server.on('checkExpectation', (request, response) => this.#receive(request, response));
    this.#server.on('clientError', (cause, socket) => this.#refuseUnreadable(cause, socket as Socket));
    boundConnections(this.#server, options.patience);
    this.#listener = new Listener(this.#server, options.logger);
    // Last: what a start takes is no load.
    this.#gauge = new LoadGauge(() => stopwatchSeconds() * 1000);
  }

  /** @throws PlimsollError CONFIG_INVALID when the port is taken or not to be had. */
  start(at: ListenAt): Promise<AddressInfo> {
    return this.#listener.start(at);
  }

  /** From now on it says that it is not ready, and every answer ends its connection. */
  drain(): void {
    this.#listener.drain();
  }

  /** Takes no new connection, lets running requests end, and cuts off what has not ended by the deadline. */
  stop(deadlineMilliseconds: number): Promise<void> {
    this.#forget();
    this.#hub.close();
    this.#gauge.stop();
    this.#contractInfo.close(CLOSE_CODE);
    return this.#listener.stop(deadlineMilliseconds);
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const started = this.#options.stopwatch();
    const url = request.url ?? '/';
    if (this.#listener.isDraining) response.shouldKeepAlive = false;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const page = isRead ? this.#console.get(url.split('?', 1)[0]) : undefined;
    if (page !== undefined) {
      response.on('close', () => this.#told.answered(request, response, CONSOLE_ROUTE, started));
      sendRead(request, response, page, tracedHeaders(request, []));
      return;
    }
    const admission = this.#gate.arrive(request, url);
    const prepared =
      isRead && this.#gate.maySkip(admission, 'limits:read') ? this.#prepared.get(url) : undefined;
    response.on('close', () =>
      this.#told.answered(request, response, prepared === undefined ? null : patternOf(url), started),
    );
    const throughExpress = (): void => this.#throughExpress(request, response, url);
    if (prepared !== undefined)
      sendRead(request, response, prepared, tracedHeaders(request, admission.headers));
    else if (isPlainCheck(request) && this.#gate.maySkip(admission, 'users:read', true)) {
      Object.assign(response, { locals: { route: url } });
      answerCheck(request, response, this.#context, throughExpress, admission.headers);
    } else throughExpress();
  }

  #throughExpress(request: IncomingMessage, response: ServerResponse, url: string): void {
    const path = url.split('?', 1)[0];
    if (!this.#gauge.admits(patienceOf(path))) {
      this.#refuseOverload(request, response, path);
      return;
    }
    // A reader that follows stays for days and costs next to nothing: it is no work that has to come to its end.
    if (path === STREAM_PATH) {
      this.#streams.answer(request, response, () => this.#app(request, response));
      return;
    }
    this.#gauge.began();
    response.on('close', () => this.#gauge.ended());
    this.#app(request, response);
  }

  /** Before Express, because that is most of what an answer costs. */
  #refuseOverload(request: IncomingMessage, response: ServerResponse, path: string): void {
    this.#sendFailure(
      response,
      OVERLOADED,
      { method: request.method ?? 'GET', path },
      requestIdOf(request.headers),
    );
    request.resume();
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
    const { version, metrics } = this.#options;
    mountDocuments(app, {
      version,
      metrics,
      enter: (request, scope) => void this.#gate.enter(request, scope),
    });
    refuseOtherMethods(app, CONSOLE_ROUTE, CONSOLE_ROUTE, ['GET', 'HEAD']);
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

  async #prepare(request: Request, response: Response, next: NextFunction): Promise<void> {
    const id = requestIdOf(request.headers);
    response.locals.requestId = id;
    response.setHeader('x-request-id', id);
    const trace = traceOfRequest(request);
    response.locals.traceId = trace?.id;
    if (trace !== null) response.setHeader('traceparent', trace.traceparent);
    for (const [name, value] of SECURITY_HEADERS) response.setHeader(name, value);
    if (request.url.length > BOUNDS.urlLength)
      throw refuse('INPUT_INVALID', 'the address is too long', 'Shorten it.');
    await this.#gate.settleToken(request, response);
    next();
  }

  #mount(app: Express, path: string, routes: readonly Route[]): void {
    const pattern = path.replaceAll(/\{(\w+)\}/g, ':$1');
    const verify = (request: IncomingMessage, response: ServerResponse, body?: Buffer): void =>
      this.#gate.settleBody(request, response, body);
    const object = express.json({ limit: BOUNDS.bodyBytes, strict: true, type: JSON_TYPE, verify });
    const lines = express.text({ limit: BOUNDS.batchBytes, type: NDJSON_TYPE, verify });
    for (const route of routes) {
      const handlers = [
        (request: Request, response: Response, next: NextFunction): void => {
          response.locals.route = path;
          this.#gate.enter(request, route.scope, route.isJudgedByRules);
          if (route.line !== undefined) requireType(request, NDJSON_TYPE);
          else if (route.body !== undefined && !(route.isBodyOptional && !hasBody(request)))
            requireType(request, JSON_TYPE);
          next();
        },
        ...(route.line !== undefined ? [lines] : route.body !== undefined ? [object] : []),
        (request: Request, response: Response, next: NextFunction): void => {
          verify(request, response);
          next();
        },
        (request: Request, response: Response) =>
          route.isStream ? this.#streams.refuse(request) : this.#run(route, request, response),
      ];
      app[route.method](pattern, ...handlers);
    }
    const methods = routes.flatMap(({ method }) =>
      method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()],
    );
    refuseOtherMethods(app, pattern, path, methods);
  }

  async #run(route: Route, request: Request, response: Response): Promise<void> {
    const { caller } = admissionOf(request);
    const input = {
      params: parse('path', route.params, request.params) as Record<string, string>,
      query: parse('query', route.query, request.query) as Record<string, unknown>,
      body: route.body === undefined ? request.body : parse('body', route.body, bodyOf(route, request)),
      caller,
      headers: request.headers,
    };
    if (caller !== null) requireSubjects(caller, touchedBy(route, input));
    await this.#requireHere(route, request);
    const handle = (): Promise<RouteAnswer> | RouteAnswer => route.handle(this.#context, input);
    const { answer, isRepeat } = await this.#writes.answer(route, request, caller, handle);
    if (isRepeat) response.setHeader('idempotency-replayed', 'true');
    if ('prepared' in answer) {
      const prepared = this.#prepared.get(answer.prepared);
      if (prepared === undefined)
        throw refuse('NOTHING_PUBLISHED', 'no limits have been decided yet', 'Try again in a few seconds.');
      sendRead(request, response, prepared);
      return;
    }
    if ('read' in answer) {
      sendRead(request, response, answer.read);
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

  /** What other processes have to do with it: some routes are answered by one of them alone, and a signed write comes to one. */
  async #requireHere({ needs, scope }: Route, request: Request): Promise<void> {
    const { refusalOf, claimNonce } = this.#options;
    const refusal = needs === undefined ? null : (refusalOf?.(needs) ?? null);
    if (refusal !== null) throw refusal;
    const { nonce = null } = admissionOf(request);
    if (nonce === null || claimNonce === undefined || scope === 'open' || !isWriteScope(scope)) return;
    if (!(await claimNonce(nonce.text, nonce.until))) throw replayed();
  }

  /** @throws PlimsollError for a path that has no socket, and for whoever may not read. */
  async #admitSocket(request: IncomingMessage): Promise<SocketRequest> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const contractInfo = contractInfoRequest(url);
    this.#gate.arrive(request, url.pathname);
    await this.#gate.settleToken(request, null);
    const caller = this.#gate.enter(request, contractInfo === null ? 'feed:read' : 'limits:read');
    const mayStay = (): boolean => this.#gate.mayStay(caller);
    if (contractInfo !== null) {
      this.#contractInfo.requireRoom();
      return { ...contractInfo, mayStay };
    }
    if (caller !== null) requireSubjects(caller, null);
    const query = parse('query', pushQuery, Object.fromEntries(url.searchParams));
    this.#hub.requireRoom();
    return { kind: 'feed', subscription: { ...subscriptionOf(query, undefined, caller), mayStay } };
  }

  #fail(thrown: unknown, request: Request, response: Response, next: NextFunction): void {
    if (response.headersSent) {
      next(thrown);
      return;
    }
    const failure = asPlimsollError(clientFault(thrown) ?? thrown);
    const { requestId = '', traceId, route = 'none' } = response.locals;
    if (isServiceFault(failure)) {
      this.#options.logger.error({ err: failure, requestId, traceId }, failure.message);
      this.#options.onFault?.(failure);
    }
    const caller = (request as Arrived).admission?.caller?.name;
    const address = request.socket.remoteAddress;
    this.#refusals.tell(failure, { route, requestId, traceId, caller, address });
    // A body that was not read to its end would be taken for the next request.
    if (hasBody(request) && !request.complete) response.setHeader('connection', 'close');
    this.#sendFailure(response, failure, request, requestId);
  }

  /** In the form of the exchange that the path belongs to, or as a problem. */
  #sendFailure(
    response: ServerResponse,
    failure: PlimsollError,
    { method, path }: { readonly method: string; readonly path: string },
    requestId: string,
  ): void {
    const venue = venueOf(path);
    if (venue === undefined) sendProblem(response, failure, requestId);
    else sendRefusal(response, venue.refusalOf(failure, { method, path, now: this.#options.clock.now() }));
  }
}

function bodyOf(route: Route, request: Request): unknown {
  return route.isBodyOptional && !hasBody(request) ? {} : request.body;
}
