import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SqliteStateStore } from '../../data/sqlite-state-store.ts';
import { type Served, serve } from '../run-plimsoll.ts';
import {
  expectAccessible,
  expectNoSidewaysScrolling,
  hasBrowser,
  openBrowser,
  openPage,
  type WatchedPage,
} from './console.ts';

/** More than a page of the verifier. */
const MANY = 1150;
const QUIET = ['--training-schedule', 'off'];

describe.skipIf(!hasBrowser)('the audit page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-audit-page-'));
  const dataDir = join(folder, 'var');
  let service: Served;
  let browser: Browser;
  const opened: WatchedPage[] = [];

  beforeAll(async () => {
    service = await serve(dataDir, QUIET);
    await service.inForce;
    await service.end('SIGTERM');
    const store = SqliteStateStore.open(dataDir);
    const { at } = (await store.auditEntry(1)) ?? { at: 0 };
    for (let i = 0; i < MANY; i++)
      await store.appendAudit({
        at: at + i,
        kind: i === 7 ? 'promotion' : 'user-policy',
        actor: 'desk',
        subject: `u-${i}`,
        reason: 'terms of the desk',
        details: { policy: { maxLeverage: i % 20, notional: '1000.5', notes: [null, i / 7] } },
      });
    await store.close();
    service = await serve(dataDir, QUIET);
    await service.inForce;
    await act('POST', '/v1/freeze', { symbol: 'CINDUSDT', hours: 1, reason: 'index is being recomputed' });
    browser = await openBrowser();
  }, 180_000);

  afterAll(async () => {
    await browser?.close();
    await service?.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  async function act(method: string, path: string, body: unknown): Promise<void> {
    const key = readFileSync(join(dataDir, 'operator.key'), 'utf8').trim();
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const response = await fetch(`${service.url}${path}`, { method, headers, body: JSON.stringify(body) });
    expect([path, response.status]).toEqual([path, 200]);
  }

  async function open(
    query = '',
    options: Parameters<typeof openPage>[2] = {},
    refusals: readonly number[] = [],
  ): Promise<Page> {
    const watched = await openPage(browser, service.url, options, refusals);
    opened.push(watched);
    await watched.page.goto(`${service.url}/#/audit${query}`);
    await watched.page.getByRole('button', { name: 'Verify in this browser' }).waitFor();
    return watched.page;
  }

  async function close(page: Page): Promise<void> {
    await page.close();
    expect(opened.find((watched) => watched.page === page)?.complaints).toEqual([]);
  }

  const rows = (page: Page) => page.getByRole('table', { name: 'Audit entries' }).locator('tbody tr');
  const result = (page: Page) => page.locator('.verify .result .notice');

  test('recomputes the whole chain here, and says that it goes through what was signed', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Verify in this browser' }).click();
    await result(page).waitFor();
    const text = await result(page).innerText();
    expect(text).toContain('The chain holds.');
    expect(text).toMatch(/1,1\d\d entries were recomputed/);
    expect(text).toMatch(/Entry 11\d\d has the hash that checkpoint \d+ signed/);
    await close(page);
  });

  test('verifies the signature of the checkpoint with a key that was kept elsewhere, and refuses another', async () => {
    const page = await open();
    await page.getByText('Verify the signature of the checkpoint').click();
    for (const [pem, words] of [
      [readFileSync(join(dataDir, 'checkpoint.pub'), 'utf8'), 'The signature holds'],
      ['rubbish', 'there is no public key in it'],
    ]) {
      await page.getByLabel('Public key (PEM)').fill(pem);
      await page.getByRole('button', { name: 'Verify the signature', exact: true }).click();
      await page.getByText(words).waitFor();
    }
    await expectAccessible(page);
    await close(page);
  });

  test('shows the newest first, takes in what comes, and looks as far back as a filter needs', async () => {
    const page = await open();
    await rows(page).first().waitFor();
    const before = Number(await rows(page).first().locator('th').innerText());
    await act('POST', '/v1/freeze', { symbol: 'DELPUSDT', hours: 1, reason: 'seen at once' });
    await rows(page).getByText('seen at once').waitFor();
    expect(Number(await rows(page).first().locator('th').innerText())).toBeGreaterThan(before);
    await page.getByLabel('Kind').selectOption('promotion');
    await expect.poll(() => rows(page).count()).toBe(1);
    expect(await rows(page).innerText()).toMatch(/promotion\s+desk\s+u-7\s+terms of the desk/);
    await page.getByLabel('Kind').selectOption('');
    await page.getByLabel('Text').fill('u-999');
    await rows(page).getByText('u-999').waitFor();
    expect(page.url()).toContain('#/audit?text=u-999');
    await page.getByLabel('Actor').fill('nobody');
    await page.getByText('No entry is like that.').waitFor();
    await close(page);
  });

  test('goes on from an entry, oldest first, and opens one with its content, hashes and links', async () => {
    const page = await open('?after=3');
    await page.getByRole('heading', { name: 'Entries after 3, oldest first' }).waitFor();
    expect(await rows(page).first().locator('th').innerText()).toBe('4');
    await page.getByRole('button', { name: 'Next 100' }).click();
    await page.getByRole('heading', { name: 'Entries after 103, oldest first' }).waitFor();
    await page.goto(`${service.url}/#/audit?kind=freeze`);
    await rows(page).filter({ hasText: 'freeze-1' }).getByRole('link').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('recomputed here: the same').waitFor();
    expect(await dialog.locator('pre').innerText()).toContain('"symbol": "CINDUSDT"');
    expect(await dialog.getByRole('link', { name: 'CINDUSDT' }).getAttribute('href')).toBe(
      '#/markets/CINDUSDT',
    );
    await expectAccessible(page);
    await dialog.getByRole('link', { name: 'freeze-1' }).click();
    await page.getByRole('heading', { level: 1, name: 'Governance' }).waitFor();
    await close(page);
  });

  test('an entry that there is not is told', async () => {
    const page = await open('?entry=999999', {}, [404]);
    await page.getByRole('dialog').getByRole('alert').waitFor();
    expect(await page.getByRole('dialog').getByRole('alert').innerText()).toContain('NOT_FOUND');
    await close(page);
  });

  test.each(['light', 'dark'] as const)('can be used by everybody, %s', async (colorScheme) => {
    const page = await open('', { colorScheme });
    await rows(page).first().waitFor();
    await expectAccessible(page);
    await close(page);
  });

  test('on a phone only tables scroll sideways', async () => {
    const page = await open('', { viewport: { width: 390, height: 800 } });
    await page.getByRole('button', { name: 'Verify in this browser' }).click();
    await result(page).waitFor();
    await expectNoSidewaysScrolling(page);
    await close(page);
  });

  test('a page without a secure context says so, and what to do instead', async () => {
    const watched = await openPage(browser, service.url);
    await watched.page.addInitScript("Object.defineProperty(crypto, 'subtle', { value: undefined })");
    await watched.page.goto(`${service.url}/#/audit`);
    await watched.page.getByText('This browser lends no SHA-256').waitFor();
    expect(await watched.page.getByRole('button', { name: 'Verify in this browser' }).count()).toBe(0);
    await watched.page.close();
  });

  test.each([
    [
      'changed an entry',
      (all: Told[]) => all.map((one) => (one.sequence === 1100 ? { ...one, reason: 'x' } : one)),
      1100,
      'its content is not what was hashed',
    ],
    ['left one out', (all: Told[]) => all.filter(({ sequence }) => sequence !== 800), 800, 'it is missing'],
    [
      'has lost the end',
      (all: Told[]) => all.filter(({ sequence }) => sequence <= 1050),
      1051,
      'it is missing: the chain was cut off',
    ],
  ] as const)('a service that %s is found out, with the place', async (_, lie, sequence, words) => {
    const page = await open();
    await page.route('**/v1/audit?after=*', async (route) => {
      const response = await route.fetch();
      const answer = (await response.json()) as { entries: Told[]; nextAfter: number | null };
      const entries = lie(answer.entries);
      const nextAfter = entries.length < 900 ? null : answer.nextAfter;
      await route.fulfill({ response, json: { ...answer, entries, nextAfter } });
    });
    await page.getByRole('button', { name: 'Verify in this browser' }).click();
    await result(page).waitFor();
    const text = await result(page).innerText();
    expect(text).toContain('The chain does not hold.');
    expect(text).toContain(`Entry ${sequence}: ${words}`);
    await close(page);
  });
});

interface Told {
  readonly sequence: number;
  readonly reason: string;
}
