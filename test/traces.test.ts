import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestService } from '../src/http/test-service.ts';
import { exportRequest, requestSpan, SpanExport } from '../src/spans.ts';
import { serveFirst } from './run-plimsoll.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
}

/** A collector that takes what OTLP says it may be sent, and answers what it is told to. */
class Collector {
  readonly spans: Span[] = [];
  readonly resources: unknown[] = [];
  status = 200;
  readonly #server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const isExport = request.method === 'POST' && request.url === '/v1/traces';
    if (isExport && this.status === 200 && request.headers['content-type'] === 'application/json') {
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString());
      for (const { resource, scopeSpans } of resourceSpans) {
        this.resources.push(resource);
        for (const { spans } of scopeSpans) this.spans.push(...spans);
      }
    }
    response.writeHead(isExport ? this.status : 404, { 'content-type': 'application/json' });
    response.end('{}');
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

let collector: Collector;
let endpoint: string;
beforeEach(async () => {
  collector = new Collector();
  endpoint = await collector.start();
});
afterEach(() => collector.stop());

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

test('a service with a collector sends requests whose trace is recorded, and decisions; nothing of the others', async () => {
  const { served, remove } = await serveFirst('traces', { PLIMSOLL_TRACE_ENDPOINT: endpoint });
  const headers = { traceparent: `00-${ID}-${PARENT}-01` };
  const read = await fetch(`${served.url}/v1/limits`, { headers });
  const made = await fetch(`${served.url}/v1/models`, { headers });
  await fetch(`${served.url}/v1/markets`);
  await fetch(`${served.url}/v1/markets`, { headers: { traceparent: `00-${ID}-${PARENT}-00` } });
  expect(await served.end('SIGTERM')).toBe(0);
  remove();
  const requests = collector.spans.filter(({ kind }) => kind === 2);
  expect(requests.map(({ name, traceId, parentSpanId }) => [name, traceId, parentSpanId])).toEqual([
    ['GET /v1/limits', ID, PARENT],
    ['GET /v1/models', ID, PARENT],
  ]);
  // The part that the answer named is the part that the collector was told of.
  for (const [i, answer] of [read, made].entries())
    expect(answer.headers.get('traceparent')).toBe(`00-${ID}-${requests[i].spanId}-01`);
  const attributes = new Map(requests[0].attributes.map(({ key, value }) => [key, value]));
  expect(attributes.get('http.response.status_code')).toEqual({ intValue: '200' });
  expect(attributes.get('http.route')).toEqual({ stringValue: '/v1/limits' });
  const decision = collector.spans.find(({ name }) => name === 'decision');
  expect(decision).toMatchObject({ kind: 1, traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
  expect(BigInt(decision?.endTimeUnixNano ?? 0)).toBeGreaterThan(BigInt(decision?.startTimeUnixNano ?? 0));
  expect(JSON.stringify(collector.resources[0])).toContain(
    '"service.name","value":{"stringValue":"plimsoll"}',
  );
}, 120_000);

test('a collector that is gone or refuses costs nothing but its spans, and is told of once', async () => {
  const warnings: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  collector.status = 503;
  const spans = new SpanExport({ endpoint, version: '1', logger });
  const trace = {
    ...{ id: ID, spanId: PARENT, parentSpanId: PARENT, isRecorded: true, traceparent: '' },
  };
  const span = requestSpan(
    trace,
    { route: '/v1/limits', method: 'GET', code: 500, seconds: 0.25 },
    1_000_000,
  );
  for (let i = 0; i < 5000; i++) spans.add(span);
  await spans.stop();
  await spans.stop();
  // What came while too many waited, and one batch that was refused; the rest goes with the next tries.
  expect(spans.lost).toBeGreaterThanOrEqual(5000 - 4096 + 512);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('it answered 503');
});

test('a span in the JSON of OTLP: ids in hex, times as text in nanoseconds', () => {
  const trace = {
    id: ID,
    spanId: 'b7ad6b7169203331',
    parentSpanId: PARENT,
    isRecorded: true,
    traceparent: '',
  };
  const span = requestSpan(
    trace,
    { route: '/v1/limits', method: 'GET', code: 500, seconds: 0.25 },
    1_700_000_000_500,
  );
  // By hand, after the JSON example of the OTLP specification (opentelemetry-proto, examples/trace.json).
  expect(exportRequest([span], '0.1.0')).toEqual({
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: 'plimsoll' } },
            { key: 'service.version', value: { stringValue: '0.1.0' } },
          ],
        },
        scopeSpans: [
          {
            scope: { name: 'plimsoll', version: '0.1.0' },
            spans: [
              {
                traceId: ID,
                spanId: 'b7ad6b7169203331',
                parentSpanId: PARENT,
                name: 'GET /v1/limits',
                kind: 2,
                startTimeUnixNano: '1700000000250000000',
                endTimeUnixNano: '1700000000500000000',
                attributes: [
                  { key: 'http.request.method', value: { stringValue: 'GET' } },
                  { key: 'http.route', value: { stringValue: '/v1/limits' } },
                  { key: 'http.response.status_code', value: { intValue: '500' } },
                ],
                status: { code: 2 },
              },
            ],
          },
        ],
      },
    ],
  });
});

test('without a collector nothing of it is made', async () => {
  const service = await TestService.start();
  const headers = { traceparent: `00-${ID}-${PARENT}-01` };
  expect((await service.call('/v1/limits', { headers })).headers.traceparent).toMatch(
    new RegExp(`^00-${ID}-`),
  );
  await service.stop();
  expect(collector.spans).toEqual([]);
});
