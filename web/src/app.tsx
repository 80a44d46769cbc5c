import { useEffect, useRef, useState } from 'preact/hooks';
import type { Readiness } from './answers.ts';
import { spanText, timeText } from './format.ts';
import { liveness } from './live.ts';
import { pageOf, SECTIONS } from './pages.tsx';
import { Dialog } from './parts/dialog.tsx';
import { KeyButton, KeyDialog } from './parts/key-dialog.tsx';
import { useResource } from './resource.ts';
import { linkTo, placeCell } from './route.ts';
import { isKeyWanted } from './session.ts';
import { useShortcuts } from './shortcuts.ts';
import { useCell } from './signal.ts';
import { applyTheme, THEMES, type Theme, themeCell } from './theme.ts';

/** The frame around every page: where to go, whether what is shown is live, and whose key it is shown to. */
export function App() {
  const place = useCell(placeCell);
  const wantsKey = useCell(isKeyWanted);
  const main = useRef<HTMLElement>(null);
  const [isHelpShown, showHelp] = useState(false);
  useShortcuts(() => showHelp(true));
  const page = pageOf(place.path);
  useEffect(() => {
    document.title = `${page.title} – Plimsoll`;
    scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [place.path.join('/')]);
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <header class="side">
        <a class="brand" href={linkTo([])} aria-label="Plimsoll, all markets">
          <Mark /> Plimsoll
        </a>
        <nav aria-label="Pages">
          {SECTIONS.map(({ path, title }) => (
            <a
              key={title}
              href={linkTo(path)}
              {...((place.path[0] ?? 'markets') === (path[0] ?? 'markets') ? { 'aria-current': 'page' } : {})}
            >
              {title}
            </a>
          ))}
        </nav>
        <div class="foot">
          <LiveState />
          <KeyButton />
          <ThemeChoice />
          <span class="wide">
            <a href="/docs">API</a> · <a href="/metrics">metrics</a> ·{' '}
            <button type="button" class="link" onClick={() => showHelp(true)}>
              keyboard
            </button>
          </span>
        </div>
      </header>
      <main id="page" ref={main} tabIndex={-1}>
        <StateNotice />
        {page.draw()}
      </main>
      {wantsKey && <KeyDialog />}
      {isHelpShown && <Shortcuts onClose={() => showHelp(false)} />}
    </div>
  );
}

/** The load line of a ship. */
function Mark() {
  return (
    <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
      <circle cx="16" cy="16" r="10" fill="none" stroke="var(--accent)" stroke-width="3" />
      <path d="M1 16h30" stroke="var(--accent)" stroke-width="3" />
    </svg>
  );
}

function LiveState() {
  const state = useCell(liveness);
  const [tone, text] = {
    live: ['good', 'live'],
    connecting: ['warn', 'connecting'],
    lost: ['bad', 'not connected'],
  }[state];
  return (
    <span role="status">
      <i class={`dot ${tone}`} aria-hidden="true" />
      {text}
    </span>
  );
}

function ThemeChoice() {
  const theme = useCell(themeCell);
  return (
    <label>
      <span class="visually-hidden">Colours</span>
      <select value={theme} onChange={(event) => applyTheme(event.currentTarget.value as Theme)}>
        {THEMES.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What everybody must know before they read a number: not ready, degraded, not connected. */
function StateNotice() {
  const { data, problem } = useResource<Readiness>('/readyz', { on: 'limits', everySeconds: 10 });
  const state = useCell(liveness);
  if (problem?.status === 0)
    return (
      <p class="notice bad" role="alert">
        <strong>The service cannot be reached.</strong> What is shown is what was known last; the limits that
        exchanges hold stay in force by their own validity.
      </p>
    );
  if (data === null) return null;
  if (!data.ready)
    return (
      <p class="notice warn" role="status">
        <strong>No limits yet.</strong> The first ones are being decided; the page fills by itself.
      </p>
    );
  return (
    <>
      {data.degraded && (
        <p class="notice warn" role="alert">
          <strong>Degraded:</strong> {data.reasons.join(', ') || 'the validity of these limits is over'}.
          Limits are held or tightened, never loosened. Data until {timeText(data.dataAsOf)} UTC
          {data.lastDecisionAt !== null &&
            `, last decision ${spanText(Date.now() - Date.parse(data.lastDecisionAt))} ago`}
          .
        </p>
      )}
      {state === 'lost' && (
        <p class="notice plain" role="status">
          Not connected to the stream: changes show late until it is back.
        </p>
      )}
    </>
  );
}

function Shortcuts({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <table>
        <tbody>
          {SECTIONS.map(({ title, letter }) => (
            <tr key={title}>
              <td>
                <kbd>g</kbd> <kbd>{letter}</kbd>
              </td>
              <td>{title}</td>
            </tr>
          ))}
          <tr>
            <td>
              <kbd>/</kbd>
            </td>
            <td>find a market</td>
          </tr>
          <tr>
            <td>
              <kbd>[</kbd> <kbd>]</kbd>
            </td>
            <td>previous, next market</td>
          </tr>
          <tr>
            <td>
              <kbd>?</kbd>
            </td>
            <td>this list</td>
          </tr>
        </tbody>
      </table>
      <div class="ends">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
