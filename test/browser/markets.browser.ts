import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SAMPLE_MARKETS } from '../../data/sample/markets.ts';
import { liveIn } from '../lived-in-folder.ts';
import { type Served, serve } from '../run-plimsoll.ts';
import {
  expectAccessible,
  expectNoSidewaysScrolling,
  hasBrowser,
  openBrowser,
  openPage,
  type WatchedPage,
} from './console.ts';

describe.skipIf(!hasBrowser)('the markets of the console', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-console-'));
  let service: Served;
  let browser: Browser;
  let watched: WatchedPage;

  beforeAll(async () => {
    const dataDir = join(folder, 'var');
    await liveIn(dataDir, 8, 4);
    service = await serve(dataDir);
    await service.inForce;
    browser = await openBrowser();
    watched = await openPage(browser, service.url, { acceptDownloads: true });
  });

  afterAll(async () => {
    await browser?.close();
    await service?.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  test('show every market with its leverage, its week and what holds it, and say that they are simulated', async () => {
    const { page, complaints } = watched;
    await page.goto(service.url);
    await page.locator('tbody tr').first().waitFor();
    expect(await page.locator('tbody tr').count()).toBe(SAMPLE_MARKETS.length);
    expect(await page.locator('tbody tr').first().innerText()).toMatch(/AURUSDT\s+\d+x/);
    expect(await page.getByText('simulated markets').count()).toBe(1);
    const paths = page.locator('tbody tr').first().locator('svg path');
    expect(await paths.count()).toBe(2);
    await page.getByText('live', { exact: true }).waitFor();
    expect(complaints).toEqual([]);
  });

  test('are found by part of their name, sorted by a column, and the address keeps both', async () => {
    const { page } = watched;
    await page.keyboard.press('/');
    await page.keyboard.type('usdt');
    await page.getByRole('button', { name: 'Leverage' }).click();
    const leverages = await page.locator('tbody tr td:nth-child(2)').allInnerTexts();
    const numbers = leverages.map((text) => Number(text.replace('x', '')));
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
    await page.locator('input[type=search]').fill('bore');
    expect(await page.locator('tbody tr').allInnerTexts()).toHaveLength(1);
    const address = page.url();
    expect(address).toContain('find=bore');
    const other = await openPage(browser, service.url);
    await other.page.goto(address);
    await other.page.locator('tbody tr').first().waitFor();
    expect(await other.page.locator('tbody tr').allInnerTexts()).toHaveLength(1);
    await other.page.close();
    await page.locator('input[type=search]').fill('no such market');
    expect(await page.getByText('No market is like that.').isVisible()).toBe(true);
    await page.locator('input[type=search]').fill('');
  });

  test('are a file for whoever wants to count with them', async () => {
    const { page } = watched;
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download CSV' }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^limits-v\d+\.csv$/);
    const lines = readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\r\n');
    expect(lines[0]).toMatch(/^market,leverage,/);
    expect(lines).toHaveLength(SAMPLE_MARKETS.length + 1);
  });

  test('lead to the page of one: leverage with price, forecasts with what came of them, bounds, brackets', async () => {
    const { page, complaints } = watched;
    await page.getByRole('link', { name: 'BOREUSDT' }).click();
    await page.getByRole('heading', { level: 1, name: 'BOREUSDT' }).waitFor();
    await page.locator('canvas').nth(1).waitFor();
    expect(await page.title()).toBe('BOREUSDT – Plimsoll');
    expect(await page.locator('.bounds details').count()).toBeGreaterThan(4);
    expect(await page.locator('.bounds details.binding').count()).toBe(1);
    expect(await page.getByText(/forecasts came due; longs lost more/).count()).toBe(1);
    expect(await page.getByRole('columnheader', { name: 'Maintenance' }).count()).toBe(1);
    // What differs from the table before is marked.
    expect(await page.locator('.changed').count()).toBeGreaterThan(0);
    await page.locator('.bounds summary').first().click();
    expect(await page.locator('.bounds .evidence').first().isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });

  test('a chosen span is in the address, and neighbours are a key away', async () => {
    const { page } = watched;
    await page.getByRole('button', { name: 'Day', exact: true }).click();
    await expect.poll(() => page.url()).toContain('days=1');
    await page.keyboard.press(']');
    await page.getByRole('heading', { level: 1, name: 'CINDUSDT' }).waitFor();
    await page.keyboard.press('[');
    await page.getByRole('heading', { level: 1, name: 'BOREUSDT' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('m');
    await page.getByRole('heading', { level: 1, name: 'Markets' }).waitFor();
  });

  test('a market that there is not is refused in the words of the service', async () => {
    const { page, complaints } = await openPage(browser, service.url, {}, [404]);
    await page.goto(`${service.url}/#/markets/NOSUCHUSDT`);
    await page.getByRole('alert').first().waitFor();
    expect(await page.getByRole('alert').first().innerText()).toContain('MARKET_UNKNOWN');
    expect(complaints).toEqual([]);
    await page.goto(`${service.url}/#/no/such/page`);
    await page.getByText('There is no such page').waitFor();
    await page.close();
  });

  test('a freeze shows by itself where the market is looked at', async () => {
    const { page } = watched;
    await page.goto(`${service.url}/#/markets/DELPUSDT`);
    await page.locator('.bounds').waitFor();
    const key = readFileSync(join(folder, 'var/operator.key'), 'utf8').trim();
    const frozen = await fetch(`${service.url}/v1/freeze`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ symbol: 'DELPUSDT', reason: 'index is being recomputed', hours: 1 }),
    });
    expect(frozen.status).toBe(200);
    await page.getByText('index is being recomputed').waitFor({ timeout: 20_000 });
    await page.goto(service.url);
    await page.locator('tr', { hasText: 'DELPUSDT' }).getByText('frozen').waitFor();
  });

  test.each(['light', 'dark'] as const)('can be used by everybody, %s', async (colorScheme) => {
    const { page } = await openPage(browser, service.url, { colorScheme });
    await page.goto(service.url);
    await page.locator('tbody tr').first().waitFor();
    await expectAccessible(page);
    await page.goto(`${service.url}/#/markets/BOREUSDT`);
    await page.locator('canvas').nth(1).waitFor();
    await expectAccessible(page);
    await page.keyboard.press('?');
    await page.locator('dialog[open]').waitFor();
    await expectAccessible(page);
    await page.close();
  });

  test('on a phone tables scroll within themselves and the page does not', async () => {
    const { page } = await openPage(browser, service.url, { viewport: { width: 390, height: 800 } });
    for (const place of ['#/', '#/markets/BOREUSDT']) {
      await page.goto(`${service.url}/${place}`);
      await page.locator('tbody tr').first().waitFor();
      await expectNoSidewaysScrolling(page);
    }
    await page.close();
  });

  test('say when the service is gone, keep what was known, and go on when it is back', async () => {
    const port = new URL(service.url).port;
    const { page } = await openPage(browser, service.url);
    await page.goto(service.url);
    await page.locator('tbody tr').first().waitFor();
    await service.end('SIGKILL');
    await page.getByText('The service cannot be reached.').waitFor({ timeout: 30_000 });
    expect(await page.locator('tbody tr').count()).toBe(SAMPLE_MARKETS.length);
    expect(await page.getByText('not connected', { exact: true }).isVisible()).toBe(true);
    service = await serve(join(folder, 'var'), ['--port', port]);
    await page.getByText('live', { exact: true }).waitFor({ timeout: 30_000 });
    await expect
      .poll(() => page.getByText('The service cannot be reached.').count(), { timeout: 20_000 })
      .toBe(0);
    await page.close();
  });
});
