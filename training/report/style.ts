/** The looks of the page. No colour stands alone for a meaning: words, shapes or places say it as well. */
export const REPORT_STYLE = `
:root { color-scheme: light dark;
  --paper: light-dark(#ffffff, #10151b); --card: light-dark(#f6f8fa, #171e26); --ink: light-dark(#16202b, #e6edf4);
  --soft: light-dark(#566573, #9fb0c0); --line: light-dark(#dbe2e9, #2e3a46); --accent: light-dark(#0b5cad, #7db8f5);
  --good: light-dark(#17683a, #6fd39a); --good-paper: light-dark(#e7f5ec, #12291c); --bad: light-dark(#a5281c, #f2938a); --bad-paper: light-dark(#fdeeec, #331614);
  --s0: light-dark(#0b62d6, #6aa9ff); --s1: light-dark(#b4540a, #f2a65a); --s2: light-dark(#69737d, #9aa7b4); --s3: light-dark(#6b3fa0, #c3a1f2);
  --s4: light-dark(#0f766e, #5fd0c5); --s5: light-dark(#9d174d, #f291bb); --s6: light-dark(#4d7c0f, #b5d96b); --s7: light-dark(#7c5e10, #d9bd62); }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 3.5rem; }
body { margin: 0; font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; color: var(--ink); background: var(--paper); }
header.top, main, footer { max-width: 76rem; margin: 0 auto; padding: 0 1.5rem; }
header.top { padding-top: 2rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .3rem; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 0 0 .6rem; letter-spacing: -.01em; }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
h4 { font-size: .9rem; margin: 0 0 .2rem; color: var(--soft); font-weight: 600; }
p { margin: .4rem 0 .8rem; max-width: 68ch; }
a { color: var(--accent); }
code, pre { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: .88em; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .7rem .9rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
.soft, small { color: var(--soft); } small { font-size: .88em; }
.verdict { display: flex; gap: 1rem; align-items: flex-start; margin: 1.2rem 0 .6rem; padding: 1rem 1.2rem; border-radius: .7rem; border: 1px solid; }
.verdict strong { font-size: 1.15rem; display: block; }
.verdict p { margin: .2rem 0 0; }
.verdict .sign { font-size: 1.6rem; line-height: 1.2; }
.verdict.good { color: var(--good); background: var(--good-paper); }
.verdict.bad { color: var(--bad); background: var(--bad-paper); }
.verdict p, .verdict .words { color: var(--ink); }
.notice { border: 1px solid light-dark(#8a6d00, #d6b84a); background: light-dark(#fff8df, #2b2510); padding: .5rem .9rem; border-radius: .5rem; max-width: none; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem; margin: 1rem 0; padding: 0; list-style: none; }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem .9rem; }
.tiles b { display: block; font-size: 1.35rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--soft); font-size: .84rem; line-height: 1.35; display: block; }
nav.contents { position: sticky; top: 0; z-index: 2; background: var(--paper); border-bottom: 1px solid var(--line); }
nav.contents ul { max-width: 76rem; margin: 0 auto; padding: .5rem 1.5rem; display: flex; gap: 1.1rem; list-style: none; overflow-x: auto; white-space: nowrap; font-size: .9rem; scrollbar-width: thin; }
nav.contents a { text-decoration: none; }
nav.contents a:hover { text-decoration: underline; }
section { padding: 1.8rem 0 .6rem; border-bottom: 1px solid var(--line); }
section:last-of-type { border-bottom: 0; }
figure { margin: .8rem 0 1.4rem; }
figcaption { color: var(--soft); font-size: .88rem; max-width: 100ch; margin-top: .3rem; }
.panels { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .9rem; }
.panels.single { grid-template-columns: minmax(0, 1fr); }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem .7rem .3rem; min-width: 0; }
svg { display: block; width: 100%; height: auto; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; list-style: none; padding: 0; margin: 0 0 .6rem; font-size: .9rem; }
.key { display: inline-block; width: 1.1rem; height: .28rem; border-radius: 2px; vertical-align: .22em; margin-right: .45rem; background: currentColor; }
.key.band { height: .8rem; vertical-align: -.08em; background: var(--s0); opacity: .28; }
.key.miss { width: 0; height: 0; background: none; border: .36rem solid transparent; border-radius: 0; }
.key.miss.long { border-top-color: var(--bad); vertical-align: -.25em; }
.key.miss.short { border-bottom-color: var(--s3); vertical-align: .15em; }
.s0 { color: var(--s0); } .s1 { color: var(--s1); } .s2 { color: var(--s2); } .s3 { color: var(--s3); } .s4 { color: var(--s4); } .s5 { color: var(--s5); } .s6 { color: var(--s6); } .s7 { color: var(--s7); } .ink { color: var(--ink); }
.tick { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
.axis { fill: var(--soft); font-size: 12.5px; }
.grid { stroke: var(--line); stroke-width: 1; }
.base { stroke: var(--soft); stroke-width: 1; }
.target { stroke: var(--ink); stroke-width: 1.2; stroke-dasharray: 4 4; opacity: .75; }
.line { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }
.line.s2 { stroke-dasharray: 7 3; } .line.s1 { stroke-dasharray: 2 3; stroke-width: 2.4; }
.line.ink { stroke-width: 1.3; }
.whisker { stroke: currentColor; stroke-width: 1.8; opacity: .75; }
.dot { fill: currentColor; stroke: var(--card); stroke-width: 1; }
.ribbon { fill: currentColor; opacity: .16; stroke: none; }
.ribbon.band { fill: var(--s0); opacity: .2; }
.bar { fill: currentColor; rx: 3px; }
.miss.long { color: var(--bad); } .miss.short { color: var(--s3); }
.miss line { stroke: currentColor; stroke-width: 1.4; opacity: .7; }
.miss path { fill: currentColor; stroke: var(--paper); stroke-width: .6; }
#explorer-chart { min-height: 300px; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .5rem 0; overflow: hidden; }
#explorer-chart svg { width: auto; max-width: 100%; }
#explorer-words { font-variant-numeric: tabular-nums; }
.controls { display: flex; flex-wrap: wrap; gap: .8rem 1.4rem; margin-bottom: .7rem; }
select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--soft); border-radius: .4rem; padding: .35rem .5rem; max-width: 100%; }
.scroll { overflow: auto; max-height: 34rem; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; }
.table { border: 1px solid var(--line); border-radius: .6rem; overflow: hidden; margin: .8rem 0 1.4rem; }
.caption { padding: .6rem .8rem; margin: 0; font-weight: 600; font-size: .9rem; max-width: none; }
.words { max-width: none; }
th, td { padding: .38rem .8rem; text-align: left; border-top: 1px solid var(--line); white-space: nowrap; }
td.wide { white-space: normal; min-width: 16rem; }
thead th { position: sticky; top: 0; background: var(--card); z-index: 1; padding: 0; vertical-align: bottom; }
tbody th { font-weight: 600; position: sticky; left: 0; background: var(--paper); }
thead th:first-child { left: 0; z-index: 2; }
.n { text-align: right; }
thead button { font: inherit; font-weight: 600; color: inherit; background: none; border: 0; padding: .45rem .8rem; width: 100%; text-align: inherit; cursor: pointer; white-space: normal; min-width: 5.2rem; line-height: 1.3; }
thead button::after { content: ' ↕'; color: var(--soft); font-weight: 400; }
th[aria-sort=ascending] button::after { content: ' ↑'; color: var(--accent); }
th[aria-sort=descending] button::after { content: ' ↓'; color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
tbody tr:hover > * { background: var(--card); }
td.good, th.good { color: var(--good); } td.bad, th.bad { color: var(--bad); } td.soft, small { color: var(--soft); } small { font-size: .88em; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1.2rem; margin: .6rem 0 1rem; font-size: .92rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
footer { padding-top: 1rem; padding-bottom: 3rem; }
@media (max-width: 44rem) {
  body { font-size: 15px; }
  header.top, main, footer { padding-left: 1rem; padding-right: 1rem; }
  nav.contents ul { padding-left: 1rem; padding-right: 1rem; }
  .panels { grid-template-columns: minmax(0, 1fr); }
  .panels.single .panel { overflow-x: auto; }
  .panels.single svg { min-width: 40rem; }
  .tick, .axis { font-size: 15px; } .axis.up { display: none; } #explorer-chart .tick { font-size: 12px; }
  thead button { padding-left: .6rem; padding-right: .6rem; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .5rem; }
  th, td { padding: .34rem .6rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: .5rem; }
}
@media print {
  :root { color-scheme: light; }
  body { font-size: 10pt; }
  nav.contents, .controls, thead button::after { display: none; }
  .table, .scroll { max-height: none; overflow: visible; border: 0; }
  tbody th { position: static; }
  th, td { padding: .15rem .35rem; font-size: 7.5pt; white-space: normal; }
  thead button { padding: .15rem .35rem; min-width: 0; }
  thead th { position: static; }
  figure, tr, .verdict, .tiles li { break-inside: avoid; }
  section { border: 0; }
  h2, h3 { break-after: avoid; }
}
`;
