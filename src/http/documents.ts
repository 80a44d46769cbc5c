import type { Express, Request, Response } from 'express';
import type { Scope } from '../control/ports.ts';
import { DOCS_PAGE, DOCS_SCRIPT, errorsPage, VIEWER_FILES, viewerDirectory } from './docs.ts';
import { openApiDocument } from './openapi.ts';
import { PLAIN_STYLE } from './plain-style.ts';
import { refuse } from './problem.ts';

export interface DocumentOptions {
  readonly version: string;
  /** The text of `/metrics` and its content type. */
  readonly metrics: (
    isOpenMetrics: boolean,
  ) => Promise<{ readonly text: string; readonly contentType: string }>;
  /** @throws PlimsollError for whoever does not have the scope. */
  readonly enter: (request: Request, scope: Scope) => void;
}

/** Everything that is served beside the routes of the table. */
export function mountDocuments(app: Express, { version, metrics, enter }: DocumentOptions): void {
  const mount = (path: string, scope: Scope, send: Send): void =>
    mountDocument(app, path, (request, response) => {
      enter(request, scope);
      return send(request, response);
    });
  const openApi = Buffer.from(JSON.stringify(openApiDocument(version)));
  const documents: readonly (readonly [string, string, Buffer])[] = [
    ['/openapi.json', 'application/json; charset=utf-8', openApi],
    ['/docs', 'text/html; charset=utf-8', Buffer.from(DOCS_PAGE)],
    ['/docs/errors', 'text/html; charset=utf-8', Buffer.from(errorsPage())],
    ['/docs/assets/start.js', 'text/javascript; charset=utf-8', Buffer.from(DOCS_SCRIPT)],
    ['/docs/assets/plain.css', 'text/css; charset=utf-8', Buffer.from(PLAIN_STYLE)],
  ];
  for (const [path, contentType, body] of documents) {
    mount(path, 'documents:read', (_request, response) => {
      response.setHeader('cache-control', 'public, max-age=300');
      response.type(contentType).send(body);
    });
  }
  // With a root, because a file below a folder whose name starts with a dot is not served by its full path.
  const viewer = { root: viewerDirectory(), maxAge: 300_000 };
  for (const name of VIEWER_FILES) {
    mount(`/docs/assets/${name}`, 'documents:read', (_request, response) => response.sendFile(name, viewer));
  }
  mount('/metrics', 'operations:read', async (request, response) => {
    const isOpenMetrics = request.accepts(['text/plain', OPEN_METRICS]) === OPEN_METRICS;
    const { text, contentType } = await metrics(isOpenMetrics);
    response.setHeader('cache-control', 'no-store');
    response.setHeader('vary', 'accept');
    response.type(contentType).send(text);
  });
}

/** With its version: a scraper that asks for another one is sent text. */
const OPEN_METRICS = 'application/openmetrics-text;version=1.0.0';

type Send = (request: Request, response: Response) => void | Promise<void>;

/** A page or file beside the routes of the table. */
function mountDocument(app: Express, path: string, send: Send): void {
  app.get(path, (request, response) => {
    response.locals.route = path;
    return send(request, response);
  });
  refuseOtherMethods(app, path, path, ['GET', 'HEAD']);
}

/** Whatever else is asked of a path that has answers. */
export function refuseOtherMethods(
  app: Express,
  pattern: string,
  route: string,
  methods: readonly string[],
): void {
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
