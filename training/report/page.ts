import { createHash } from 'node:crypto';
import { REPORT_SCRIPT } from './script.ts';
import { REPORT_STYLE } from './style.ts';
import { escapeHtml } from './text.ts';

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly html: string;
}

/**
 * The page around the sections: style and script inside, nothing from elsewhere. Its policy allows this one style and this
 * one script by their hashes and no connection at all.
 *
 * @param data JSON for the script; null where it has no market to draw.
 */
export function page(
  title: string,
  head: string,
  sections: readonly Section[],
  foot: string,
  data: string | null,
): string {
  const policy = `default-src 'none'; style-src 'sha256-${hash(REPORT_STYLE)}'; script-src 'sha256-${hash(REPORT_SCRIPT)}'; img-src data:; base-uri 'none'; form-action 'none'`;
  const links = sections.map(({ id, title: name }) => `<li><a href="#${id}">${escapeHtml(name)}</a></li>`);
  const bodies = sections.map(
    ({ id, title: name, html }) =>
      `<section id="${id}" aria-labelledby="${id}-h"><h2 id="${id}-h">${escapeHtml(name)}</h2>\n${html}\n</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${REPORT_STYLE}</style>
</head>
<body>
<header class="top">
${head}
</header>
<nav class="contents" aria-label="Contents"><ul>${links.join('')}</ul></nav>
<main>
${bodies.join('\n')}
</main>
<footer>
${foot}
</footer>
${data === null ? '' : `<script type="application/json" id="explorer-data">${data.replaceAll('<', '\\u003c')}</script>\n`}<script>${REPORT_SCRIPT}</script>
</body>
</html>
`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
