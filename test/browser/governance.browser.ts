import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Served, serve } from '../run-plimsoll.ts';
import {
  expectAccessible,
  expectNoSidewaysScrolling,
  hasBrowser,
  openBrowser,
  openPage,
  type WatchedPage,
} from './console.ts';

const KEYS = {
  rita: ['reader', 'rita-of-the-browser-tests_0123456789'],
  ann: ['operator', 'ann-of-the-browser-tests_0123456789'],
  carol: ['approver', 'carol-of-the-browser-tests_0123456789'],
} as const;
type Person = keyof typeof KEYS;
const CONFIGURED = Object.entries(KEYS)
  .map(([name, [role, key]]) => `${name}:${role}:${createHash('sha256').update(key).digest('hex')}`)
  .join(',');

interface Position {
  readonly symbol: string;
  readonly mark: string;
  readonly notional: string;
}
interface Markets {
  readonly markets: readonly { readonly maxLeverage: number }[];
}

describe.skipIf(!hasBrowser)('the governance page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-governance-'));
  let service: Served;
  let browser: Browser;
  const opened: WatchedPage[] = [];

  beforeAll(async () => {
    service = await serve(join(folder, 'var'), ['--training-schedule', 'off'], { PLIMSOLL_KEYS: CONFIGURED });
    await service.inForce;
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await service?.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  /** The page as somebody sees it. */
  async function open(
    person: Person,
    query = '',
    options: Parameters<typeof openPage>[2] = {},
    refusals: readonly number[] = [],
  ): Promise<Page> {
    const watched = await openPage(browser, service.url, options, refusals);
    opened.push(watched);
    await watched.page.addInitScript(`sessionStorage.setItem('plimsoll-key', '${KEYS[person][1]}')`);
    await watched.page.goto(`${service.url}/#/governance${query}`);
    await watched.page.getByRole('heading', { name: /^In force now/ }).waitFor();
    return watched.page;
  }

  async function close(page: Page): Promise<void> {
    await page.close();
    expect(opened.find((watched) => watched.page === page)?.complaints).toEqual([]);
  }

  async function call(person: Person, method: string, path: string, body?: unknown): Promise<Response> {
    const isText = typeof body === 'string';
    return fetch(`${service.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${KEYS[person][1]}`,
        'content-type': isText ? 'application/x-ndjson' : 'application/json',
      },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
  }

  async function answerOf<T>(path: string): Promise<T> {
    const response = await call('rita', 'GET', path);
    expect([path, response.status]).toEqual([path, 200]);
    return (await response.json()) as T;
  }

  async function positionOf(accountId: string): Promise<Position> {
    return (await answerOf<{ positions: Position[] }>(`/v1/accounts/${accountId}/margin`)).positions[0];
  }

  const dialog = (page: Page) => page.getByRole('dialog');
  const told = (page: Page) => page.locator('main [role=status] .notice.good');

  async function fill(page: Page, leverage: string, reason: string): Promise<void> {
    await page.getByLabel('Highest leverage').fill(leverage);
    await page.getByLabel(/^Reason/).fill(reason);
    await page.getByRole('button', { name: 'Show what it does' }).click();
    await page.locator('.preview').waitFor();
  }

  test('says in words that nothing was changed by hand, and is accessible in light and dark', async () => {
    const page = await open('rita');
    await page.getByText('Nothing by hand').waitFor();
    await page.getByText('Nothing waits for an approval').waitFor();
    await page.getByText('Nobody has changed anything yet').waitFor();
    await expectAccessible(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await expectAccessible(page);
    await close(page);
  });

  test('an override is shown with the accounts that it hits before it is sent, and is in force then', async () => {
    const probe = {
      userId: 'u1',
      marginMode: 'cross',
      equity: '1000000',
      positions: [{ symbol: 'AURUSDT', side: 'long', quantity: '1', entryPrice: '1' }],
    };
    expect((await call('ann', 'PUT', '/v1/accounts/a1', probe)).status).toBe(200);
    const { mark, notional } = await positionOf('a1');
    const { maxLeverage } = (await answerOf<Markets>('/v1/markets')).markets[0];
    const equity = String(Math.ceil((1.1 * Number(notional)) / maxLeverage));
    const tight = { ...probe, equity, positions: [{ ...probe.positions[0], entryPrice: mark }] };
    expect((await call('ann', 'PUT', '/v1/accounts/a1', tight)).status).toBe(200);

    const page = await open('ann', '?new=override&symbol=AURUSDT');
    expect(await dialog(page).getByLabel('Market').inputValue()).toBe('AURUSDT');
    await fill(page, '5', 'thin book');
    expect(await (await call('rita', 'GET', '/v1/changes')).json()).toMatchObject({ total: 0 });
    const preview = page.locator('.preview');
    expect(await preview.innerText()).toContain('no second person is needed');
    expect(await preview.getByRole('rowheader', { name: 'a1' }).count()).toBe(1);
    await expectAccessible(page);
    await dialog(page).getByRole('button', { name: 'Send the override' }).click();
    await told(page).waitFor();
    expect(await told(page).innerText()).toMatch(/^override-1 \(AURUSDT: at most 5x\) is in force until /);
    const row = page
      .getByRole('table', { name: 'Changes that are in force' })
      .getByRole('row', { name: /override-1/ });
    expect(await row.innerText()).toMatch(/AURUSDT\s+at most 5x\s+in 4 h\s+ann/);
    expect(new URL(page.url()).hash).toBe('#/governance');
    await close(page);
  });

  test('what somebody changes in between is shown, and nothing is sent before it was read again', async () => {
    const page = await open('ann', '?new=override&symbol=BOREUSDT', {}, [412]);
    await fill(page, '5', 'thin book');
    expect(
      (await call('carol', 'POST', '/v1/freeze', { symbol: 'CINDUSDT', hours: 1, reason: 'disputed' }))
        .status,
    ).toBe(200);
    await dialog(page).getByRole('button', { name: 'Send the override' }).click();
    await dialog(page).getByRole('alert').waitFor();
    expect(await dialog(page).getByRole('alert').innerText()).toContain('PRECONDITION_FAILED');
    await dialog(page)
      .getByRole('button', { name: /^(Show|Read again) what it does/ })
      .click();
    await page.locator('.preview').waitFor();
    await dialog(page).getByRole('button', { name: 'Send the override' }).click();
    await told(page).waitFor();
    await close(page);
  });

  test('what loosens waits: who asked is refused, somebody else approves after another look', async () => {
    const asking = await open('ann', '', {}, [403]);
    await asking.getByRole('button', { name: 'New override' }).click();
    await dialog(asking).getByLabel('Market').fill('DELPUSDT');
    await fill(asking, '20', 'the book is deep again');
    expect(await asking.locator('.preview').innerText()).toContain('A second person is needed.');
    await dialog(asking).getByRole('button', { name: 'Send the override' }).click();
    await told(asking).waitFor();
    expect(await told(asking).innerText()).toContain('waits for another person until');
    await asking.getByRole('button', { name: /^Approve override-/ }).click();
    await dialog(asking)
      .getByLabel(/^Reason/)
      .fill('me too');
    await dialog(asking).getByRole('button', { name: 'Approve' }).click();
    await dialog(asking).getByRole('alert').waitFor();
    expect(await dialog(asking).getByRole('alert').innerText()).toMatch(
      /ann has the role operator, and only an approver may approve/,
    );
    await dialog(asking).getByRole('button', { name: 'Cancel' }).click();

    const approving = await open('carol');
    await approving.getByRole('button', { name: /^Approve override-/ }).click();
    await dialog(approving)
      .getByLabel(/^Reason/)
      .fill('checked');
    // Somebody else does something while the dialog is open.
    expect((await call('ann', 'DELETE', '/v1/freeze', { symbol: 'CINDUSDT', reason: 'agreed' })).status).toBe(
      200,
    );
    await dialog(approving).getByRole('button', { name: 'Read again' }).click();
    await dialog(approving).getByRole('button', { name: 'Approve' }).click();
    await told(approving).waitFor();
    expect(await told(approving).innerText()).toMatch(/is in force until/);
    await approving.getByText('Nothing waits for an approval').waitFor();
    // Whoever asked sees it without doing anything.
    await asking.getByText('Nothing waits for an approval').waitFor();
    await asking.close();
    await close(approving);
  });

  test('a key that may not is told which role may', async () => {
    const page = await open('rita', '?new=freeze', {}, [403]);
    await dialog(page)
      .getByLabel(/^Reason/)
      .fill('mine');
    await dialog(page).getByRole('button', { name: 'Show what it does' }).click();
    await dialog(page).getByRole('alert').waitFor();
    expect(await dialog(page).getByRole('alert').innerText()).toMatch(/role reader.*key of an operator/s);
    await close(page);
  });

  test('an emergency and a freeze are tried, declared, seen by everybody, and ended with a reason', async () => {
    const page = await open('ann', '', {}, [422]);
    await page.getByRole('button', { name: 'Declare an emergency' }).click();
    await dialog(page)
      .getByLabel(/^Reason/)
      .fill('cascade on all venues');
    await dialog(page).getByRole('button', { name: 'Show what it does' }).click();
    await page.locator('.preview').waitFor();
    expect(await page.locator('.preview').innerText()).toMatch(/floor of one decision/);
    await dialog(page).getByRole('button', { name: 'Declare it' }).click();
    await page.getByText(/^Emergency since/).waitFor();
    await page.getByRole('button', { name: 'Freeze', exact: true }).click();
    await dialog(page).getByRole('button', { name: 'Until a time' }).click();
    await dialog(page).getByLabel('Until (UTC)').fill('2020-01-01T00:00');
    await dialog(page)
      .getByLabel(/^Reason/)
      .fill('feeds disagree');
    await dialog(page).getByRole('button', { name: 'Show what it does' }).click();
    await dialog(page).getByRole('alert').waitFor();
    expect(await dialog(page).getByRole('alert').innerText()).toContain('EXPIRY_INVALID');
    await dialog(page).getByRole('button', { name: 'For hours' }).click();
    await dialog(page).getByRole('button', { name: 'Show what it does' }).click();
    await page.locator('.preview').waitFor();
    await dialog(page).getByRole('button', { name: 'Freeze', exact: true }).click();
    await page.getByRole('button', { name: /^Thaw freeze-/ }).waitFor();
    for (const [button, verb] of [
      [/^Thaw freeze-/, 'Thaw'],
      [/^End emergency-/, 'End'],
    ] as const) {
      await page.getByRole('button', { name: button }).click();
      expect(await dialog(page).getByRole('button', { name: verb }).isDisabled()).toBe(true);
      await dialog(page)
        .getByLabel(/^Reason/)
        .fill('over');
      await dialog(page).getByRole('button', { name: verb }).click();
      await page.getByRole('button', { name: button }).waitFor({ state: 'detached' });
    }
    await page.getByText(/^Emergency since/).waitFor({ state: 'detached' });
    await close(page);
  });

  test('a link opens one change with its whole story, and one that is not there is told', async () => {
    const page = await open('rita', '?change=override-1');
    await dialog(page).getByText('asked for').waitFor();
    expect(await dialog(page).innerText()).toMatch(
      /override-1.*AURUSDT.*at most 5x.*asked for by ann.*thin book/s,
    );
    await expectAccessible(page);
    await dialog(page).getByRole('button', { name: 'Close' }).click();
    expect(new URL(page.url()).hash).toBe('#/governance');
    await page.goto(`${service.url}/#/governance?change=override-999`);
    await dialog(page).getByText('There is no change override-999').waitFor();
    await close(page);
  });

  test('the log is filtered by the address, read page by page, and saved as it is shown', async () => {
    for (let i = 0; i < 130; i++)
      await call('ann', 'POST', '/v1/freeze', { symbol: 'ESKRUSDT', hours: 1, reason: `again ${i}` });
    const page = await open('rita', '?kind=override&market=aur');
    const log = page.getByRole('table', { name: 'Log of changes' });
    await log.getByRole('row', { name: /override-1\b/ }).waitFor();
    expect(await log.locator('tbody tr').count()).toBe(1);
    const saved = page.waitForEvent('download');
    await page
      .locator('.card', { hasText: 'Log of changes' })
      .getByRole('button', { name: 'Download CSV' })
      .click();
    const stream = await (await saved).createReadStream();
    let text = '';
    for await (const part of stream) text += part;
    expect(text).toMatch(/^id,status,market,effect,.*\r\noverride-1,inForce,AURUSDT,at most 5x,/);
    await page.getByLabel('Kind').selectOption('freeze');
    await page.getByRole('searchbox', { name: 'Market' }).fill('ESKR');
    await page.getByRole('button', { name: 'Show all' }).click();
    await expect.poll(() => log.locator('tbody tr').count()).toBe(130);
    expect(page.url()).toContain('kind=freeze&market=ESKR');
    await close(page);
  });

  test('on a phone only tables scroll sideways', async () => {
    const page = await open('rita', '?new=freeze', { viewport: { width: 390, height: 800 } });
    await expectNoSidewaysScrolling(page);
    await close(page);
  });

  test('announced tables count down to when they are in force, and show whom they hit', async () => {
    // A policy that asks for more margin raises what open positions are held to, with its notice.
    expect(await service.end('SIGTERM')).toBe(0);
    writeFileSync(join(folder, 'policy.yaml'), 'policy:\n  marginMultiplier: 2\n');
    service = await serve(
      join(folder, 'var'),
      ['--training-schedule', 'off', '--config', join(folder, 'policy.yaml')],
      { PLIMSOLL_KEYS: CONFIGURED },
    );
    await service.inForce;
    const page = await open('rita');
    const details = page.getByRole('button', { name: /^Details of AURUSDT/ });
    await details.waitFor();
    expect(await page.getByRole('row', { name: /^AURUSDT/ }).innerText()).toMatch(/\(in (24|23\.\d) h\)/);
    await details.click();
    expect(await dialog(page).innerText()).toMatch(/AURUSDT, in force at .*Announced at .*Maintenance rate/s);
    await expectAccessible(page);
    await close(page);
  });
});
