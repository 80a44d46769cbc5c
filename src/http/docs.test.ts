import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERROR_CATALOGUE } from '../errors.ts';
import { viewerDirectory } from './docs.ts';
import { TestService } from './test-service.ts';

let service: TestService;

beforeAll(async () => {
  service = await TestService.start();
});

afterAll(() => service.stop());

/** The sources that a directive of the answer's content security policy allows; those of default-src where it is absent. */
function policyOf(header: string): (directive: string) => readonly string[] {
  const directives = new Map(
    header.split(';').map((part) => {
      const [name, ...sources] = part.trim().split(/\s+/);
      return [name, sources] as const;
    }),
  );
  return (directive) => directives.get(directive) ?? directives.get('default-src') ?? [];
}

const PAGES = ['/', '/docs', '/docs/errors'];

describe.each(PAGES)('the page %s', (path) => {
  test('is HTML under a policy that lets everything on it work, and nothing else', async () => {
    const page = await service.call(path);
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const sourcesOf = policyOf(String(page.headers['content-security-policy']));
    expect(sourcesOf('frame-ancestors')).toEqual(["'none'"]);
    const isInline = (tag: string) => new RegExp(`<${tag}(?![^>]*\\bsrc=)[^>]*>`).test(page.text);
    if (isInline('script')) expect(sourcesOf('script-src')).toContain("'unsafe-inline'");
    if (isInline('style') || / style=/.test(page.text))
      expect(sourcesOf('style-src')).toContain("'unsafe-inline'");
    expect(page.text).not.toMatch(/ on\w+=/);
    expect(page.text).not.toMatch(/(src|href)="(https?:)?\/\//);
  });

  test('refers to nothing that is not served, with the type that its use needs', async () => {
    const page = await service.call(path);
    const picture = /<link rel="icon" href="data:[^"]*">/.test(page.text);
    if (picture) {
      const sourcesOf = policyOf(String(page.headers['content-security-policy']));
      expect(sourcesOf('img-src')).toContain('data:');
    }
    const assets = [...page.text.matchAll(/<(script|link)\b[^>]*(?:src|href)="(?!data:)([^"]+)"/g)];
    expect(assets.length).toBeGreaterThan(0);
    for (const [, tag, address] of assets) {
      const asset = await service.call(address);
      // With nosniff a browser takes a script or a style by its type alone.
      const isPicture = address.endsWith('.svg');
      const ofLink = isPicture ? 'image/svg+xml' : 'text/css; charset=utf-8';
      const type = tag === 'script' ? 'text/javascript; charset=utf-8' : ofLink;
      expect([address, asset.status, asset.headers['content-type']]).toEqual([address, 200, type]);
      expect(asset.body.length).toBeGreaterThan(50);
      expect(asset.headers['x-content-type-options']).toBe('nosniff');
      expect(asset.headers['cache-control']).toMatch(/max-age=(300|31536000)/);
    }
    for (const [, address] of page.text.matchAll(/<a href="([^"]+)"/g))
      expect([address, (await service.call(address)).status]).toEqual([address, 200]);
  });
});

describe('the documentation viewer', () => {
  test('is the one of its package, byte for byte', async () => {
    for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js']) {
      const { body } = await service.call(`/docs/assets/${name}`);
      expect(body.equals(readFileSync(join(viewerDirectory(), name)))).toBe(true);
    }
  });

  test('may load what it needs: the document from here, its styles, and the pictures within them', async () => {
    const page = await service.call('/docs');
    const sourcesOf = policyOf(String(page.headers['content-security-policy']));
    expect(sourcesOf('connect-src')).toContain("'self'");
    // It writes style elements of its own while it renders.
    expect(sourcesOf('style-src')).toEqual(expect.arrayContaining(["'self'", "'unsafe-inline'"]));
    const { text: css } = await service.call('/docs/assets/swagger-ui.css');
    const schemes = new Set([...css.matchAll(/url\("?([a-z]+:|\/|[^)"])/g)].map(([, start]) => start));
    expect([...schemes]).toEqual(['data:']);
    expect(sourcesOf('img-src')).toContain('data:');
  });

  test('is started with the document of this service, and asks no other host to judge it', async () => {
    const { text } = await service.call('/docs/assets/start.js');
    let options: Record<string, unknown> = {};
    runInNewContext(text, {
      SwaggerUIBundle: (given: Record<string, unknown>) => {
        options = given;
      },
    });
    expect(options).toMatchObject({ url: '/openapi.json', validatorUrl: null });
    expect((await service.call('/docs')).text).toContain(`id="${String(options.dom_id).slice(1)}"`);
    expect((await service.call(String(options.url))).json.openapi).toBe('3.1.0');
  });

  test('serves no other file of its package or of this machine', async () => {
    for (const name of [
      'package.json',
      'index.html',
      '..%2fpackage.json',
      '%2e%2e/package.json',
      'swagger-ui.css%00',
    ])
      expect([name, (await service.call(`/docs/assets/${name}`)).status >= 400]).toEqual([name, true]);
  });
});

test('every problem type leads to its row on the page of errors', async () => {
  const { text } = await service.call('/docs/errors');
  for (const [code, { httpStatus, title }] of Object.entries(ERROR_CATALOGUE))
    expect(text).toContain(
      `<tr id="${code}"><th scope="row"><code>${code}</code></th><td>${httpStatus}</td><td>${title}`,
    );
});

test('metrics are served as OpenMetrics to who asks for it rather than for text', async () => {
  const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
  const answer = await service.call('/metrics', { headers: { accept } });
  expect(answer.headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(answer.headers.vary).toBe('accept');
  expect(answer.text).toContain('\n# TYPE plimsoll_decisions counter\nplimsoll_decisions_total{');
  expect(answer.text).toMatch(/[^\n]\n# EOF\n$/);
  expect(answer.text).not.toContain('\n\n');
});

test('metrics are served as the text that scrapers read', async () => {
  const answer = await service.call('/metrics');
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(answer.text).toContain(
    'plimsoll_http_request_duration_seconds_count{route="/docs",method="GET",code="200"}',
  );
});
