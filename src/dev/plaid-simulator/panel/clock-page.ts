// The day at the banks, and a new beginning.
import { html } from '../link-page/html.ts'
import type { World } from '../state/world.ts'
import { type PanelPage, panelPath } from './layout.ts'
import { action, field } from './parts.ts'

const path = `${panelPath}/clock`

export function clockPage({ clock }: World): PanelPage {
  return {
    here: 'clock',
    title: 'Clock',
    body: html`<section class="card" aria-labelledby="day">
        <h2 id="day">The day at the banks</h2>
        <p class="day"><time datetime="${clock.today()}">${clock.today()}</time></p>
        ${action({
          path: `${path}/advance`,
          effect:
            'All days in between pass at every bank: purchases, salaries, interest. Then Plaid reads each bank once. There is no way back.',
          button: 'Move the clock',
          fields: field({ name: 'days', label: 'Days', type: 'number', value: '7' }),
        })}
      </section>
      <section class="card" aria-labelledby="empty">
        <h2 id="empty">Start again</h2>
        ${action({
          path: `${path}/reset`,
          effect:
            'Forgets every bank, every webhook and every order of this panel. Applications keep what they ' +
            'have stored, and Plaid no longer knows their items.',
          button: 'Empty the simulator',
          confirm: 'Yes, forget everything',
        })}
      </section>`,
  }
}
