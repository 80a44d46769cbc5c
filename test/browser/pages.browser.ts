import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SAMPLE_MARKETS } from '../../data/sample/markets.ts';
import { type Served, serve } from '../run-plimsoll.ts';

const CHROMIUM = '/usr/bin/chromium';
const isThere = existsSync(CHROMIUM);
if (!isThere) process.stderr.write(`skipped: ${CHROMIUM} is not installed (apt-get install chromium)\n`);

describe.skipIf(!isThere)('in a real browser', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-browser-'));
  let service: Served;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    service = await serve(join(folder, 'var'));
    await service.inForce;
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-quic', '--disable-background-networking'],
    });
    page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(service.url) && !request.url().startsWith('data:'))
        complaints.push(`a request left for ${request.url()}`);
    });
  });

  afterAll(async () => {
    await browser?.close();
    await service?.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  test('the first page shows every market with its leverage, and says that they are simulated', async () => {
    await page.goto(service.url);
    expect(await page.locator('tbody tr').count()).toBe(SAMPLE_MARKETS.length);
    expect(await page.locator('tbody tr').first().innerText()).toMatch(/AURUSDT\s+\d+x/);
    expect(await page.locator('[role=status]').innerText()).toContain('Simulated markets');
    expect(complaints).toEqual([]);
  });

  test('on a phone the table scrolls within itself and the page does not', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    const overflow = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(overflow).toBe(0);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  test('the documentation is rendered from the program itself and lists the routes', async () => {
    await page.goto(`${service.url}/docs`);
    await page.getByText('/v1/limits', { exact: true }).first().waitFor();
    expect(await page.locator('.opblock').count()).toBeGreaterThan(10);
    expect(complaints).toEqual([]);
  });
});
