import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { ROOT } from '../repository.ts';

const CHROMIUM = '/usr/bin/chromium';
/** Whether there is a browser; tests that need one are skipped without, and say so. */
export const hasBrowser = existsSync(CHROMIUM);
if (!hasBrowser) process.stderr.write(`skipped: ${CHROMIUM} is not installed (apt-get install chromium)\n`);

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-quic', '--disable-background-networking'],
  });
}

export interface WatchedPage {
  readonly page: Page;
  /** Errors of the console and of scripts, and requests to anywhere but the service. */
  readonly complaints: string[];
}

/** @param refusals statuses that the test provokes: the browser logs each of them as an error of the page. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  refusals: readonly number[] = [],
): Promise<WatchedPage> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const complaints: string[] = [];
  page.on('console', (message) => {
    const isProvoked = refusals.some((status) => message.text().includes(`status of ${status} `));
    if (message.type() === 'error' && !isProvoked) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const isOwn = request.url().startsWith(url) || /^(data|blob):/.test(request.url());
    if (!isOwn) complaints.push(`a request left for ${request.url()}`);
  });
  return { page, complaints };
}

const AXE = readFileSync(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8');

interface AxeViolation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** Judges the page as it stands by the rules of WCAG 2.2 AA and the good practices that axe-core knows. */
export async function expectAccessible(page: Page): Promise<void> {
  // Evaluated, because the content security policy lets no script be added.
  await page.evaluate(AXE);
  const found = (await page.evaluate('axe.run().then(({ violations }) => violations)')) as AxeViolation[];
  expect(
    found.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(({ html }) => html)}`),
  ).toEqual([]);
}

/** On a phone tables scroll within themselves, and the page does not. */
export async function expectNoSidewaysScrolling(page: Page): Promise<void> {
  const overflow = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  expect(overflow).toBeLessThanOrEqual(0);
}
