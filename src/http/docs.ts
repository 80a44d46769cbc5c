import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { ERROR_CATALOGUE } from '../errors.ts';

/** Files of the documentation viewer that are served, all from its package: nothing comes from another host. */
export const VIEWER_FILES = ['swagger-ui.css', 'swagger-ui-bundle.js'] as const;

export function viewerDirectory(): string {
  return dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
}

export const DOCS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Plimsoll API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="viewer"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/start.js"></script>
</body>
</html>
`;

/** A file of its own, so that the content security policy needs no inline script. */
export const DOCS_SCRIPT = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#viewer', deepLinking: true, validatorUrl: null });\n`;

/** Where the type of a problem leads. */
export function errorsPage(): string {
  const rows = Object.entries(ERROR_CATALOGUE)
    .map(
      ([code, { httpStatus, title }]) =>
        `<tr id="${code}"><th scope="row"><code>${code}</code></th><td>${httpStatus}</td><td>${title}</td></tr>`,
    )
    .join('\n');
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Plimsoll error codes</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/assets/plain.css"></head>
<body><main><h1>Error codes</h1><table><thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Meaning</th></tr></thead><tbody>
${rows}
</tbody></table></main></body>
</html>
`;
}
