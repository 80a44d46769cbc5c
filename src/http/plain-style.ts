/** For the pages that are plain text with a table. */
export const PLAIN_STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d5dbe1, #38424c); --soft: light-dark(#f3f6f8, #1a2026); --ink: light-dark(#17212b, #e4eaf0); --paper: light-dark(#ffffff, #11161b); --accent: light-dark(#0b5cad, #7db8f5); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { margin: 0; font-size: 1.6rem; }
a { color: var(--accent); }
main { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: left; }
thead th { background: var(--soft); font-weight: 600; }
`;
