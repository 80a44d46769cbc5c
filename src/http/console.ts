import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { makeRead, type PreparedRead } from './send.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** What requests for any of its files count as. */
export const CONSOLE_ROUTE = '/';

/** The name of a file below `assets` holds its hash, so whoever has it need never ask again. */
const FOR_EVER = 'public, max-age=31536000, immutable';

/**
 * The web console as it was built (`web/`, by `npm run build`): a page and the files that it refers to, read once. They hold no data,
 * so they are open to everybody; whatever the page shows it reads from the routes, with a key where they ask for one.
 *
 * @param folder where it was built; a page that says how to build it where there is nothing.
 */
export function consoleReads(folder: string): ReadonlyMap<string, PreparedRead> {
  const page = join(folder, 'index.html');
  if (!existsSync(page)) return new Map([['/', readOf(NOT_BUILT, '.html', 'no-store')]]);
  const assets = join(folder, 'assets');
  return new Map([
    ['/', readOf(readFileSync(page, 'utf8'), '.html', 'no-cache')],
    ...readdirSync(assets)
      .filter((name) => extname(name) in TYPES)
      .map(
        (name) =>
          [
            `/assets/${name}`,
            readOf(readFileSync(join(assets, name), 'utf8'), extname(name), FOR_EVER),
          ] as const,
      ),
  ]);
}

function readOf(text: string, ending: string, cacheControl: string): PreparedRead {
  return makeRead(text, { contentType: TYPES[ending], cacheControl, isExpired: false, isCompressed: true });
}

const NOT_BUILT = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Plimsoll</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/assets/plain.css"></head>
<body><main><h1>Plimsoll</h1><p>The console is not built here. Build it with <code>npm run build</code> and start again; everything it shows is in
<a href="/v1/limits">/v1/limits</a> and the other <a href="/docs">routes</a>.</p></main></body>
</html>
`;
