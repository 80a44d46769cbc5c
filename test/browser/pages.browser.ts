import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Served, serve } from '../run-plimsoll.ts';
import { hasBrowser, openBrowser, openPage } from './console.ts';

describe.skipIf(!hasBrowser)('pages beside the console', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-browser-'));
  let service: Served;
  let browser: Browser;

  beforeAll(async () => {
    service = await serve(join(folder, 'var'));
    await service.inForce;
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await service?.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  test('the documentation is rendered from the program itself and lists the routes', async () => {
    const { page, complaints } = await openPage(browser, service.url);
    await page.goto(`${service.url}/docs`);
    await page.getByText('/v1/limits', { exact: true }).first().waitFor();
    expect(await page.locator('.opblock').count()).toBeGreaterThan(10);
    expect(complaints).toEqual([]);
  });

  test('the list of error codes is a table that can be read', async () => {
    const { page, complaints } = await openPage(browser, service.url);
    await page.goto(`${service.url}/docs/errors`);
    expect(await page.locator('tbody tr').count()).toBeGreaterThan(20);
    expect(complaints).toEqual([]);
  });
});
