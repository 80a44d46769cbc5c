import { render } from 'preact';
import { App } from './app.tsx';
import { followFeed } from './live.ts';
import { followAddress } from './route.ts';
import { applyTheme, themeCell } from './theme.ts';

applyTheme(themeCell.get());
followAddress();
const place = document.getElementById('console');
if (place !== null) {
  place.textContent = '';
  render(<App />, place);
}
void followFeed();
