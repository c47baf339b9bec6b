// What happens to webhooks on their way, and the ones that were sent.
import { type Html, html } from '../link-page/html.ts'
import { type Delivery, type DeliveryFaults, tamperings } from '../state/webhooks.ts'
import type { World } from '../state/world.ts'
import { type PanelPage, panelPath } from './layout.ts'
import { countedFaults } from './other-orders.ts'
import { counted } from './outcome.ts'
import { action, choose, field } from './parts.ts'

const path = `${panelPath}/webhooks`
const shownDeliveries = 30

export function webhooksPage({ delivery }: World): PanelPage {
  const set = settingsOf(delivery.faults)
  const newest = delivery.deliveries.slice(-shownDeliveries).toReversed()
  return {
    here: 'webhooks',
    title: 'Webhooks',
    body: html`<section class="card" aria-labelledby="way">
        <h2 id="way">On their way</h2>
        ${
          set.length === 0
            ? html`<p>Webhooks are delivered normally.</p>`
            : html`<ul class="list">
                ${set}
              </ul>`
        }
        ${
          set.length > 0 &&
          action({
            path: `${path}/normal`,
            effect: 'Ends everything in this list, and sends the webhooks that are held back.',
            button: 'Deliver normally',
          })
        }
        ${forms()}
      </section>
      <section class="card" aria-labelledby="sent">
        <h2 id="sent">Sent</h2>
        ${
          newest.length === 0
            ? html`<p>No webhook was sent yet.</p>`
            : html`<ul class="rows">
                ${newest.map(row)}
              </ul>`
        }
      </section>`,
  }
}

function forms(): Html {
  const { drop, duplicate, reorder } = countedFaults
  const faults = Object.entries({ drop, duplicate, reorder }).map(([value, [label, effect]]) => ({
    value,
    label: `${label}: they ${effect}`,
  }))
  return html`${action({
      path: `${path}/disturb`,
      effect:
        'The next webhooks are lost, come twice or come in another order. The product must end up with the same data.',
      button: 'Disturb the next webhooks',
      fields: html`${choose('fault', 'What happens to them', faults)}
      ${field({ name: 'count', label: 'How many', type: 'number', value: '2' })}`,
    })}
    ${action({
      path: `${path}/delay`,
      effect: 'Every webhook waits so long from now on. 0 ends it.',
      button: 'Delay webhooks',
      fields: field({ name: 'seconds', label: 'Seconds', type: 'number', value: '10' }),
    })}
    <details>
      <summary>Signatures</summary>
      ${action({
        path: `${path}/tamper`,
        effect: 'Every webhook has a broken signature from now on, which the product must refuse.',
        button: 'Break signatures',
        fields: choose(
          'tamper',
          'Fault',
          tamperings.map((value) => ({ value, label: value })),
        ),
      })}
      ${action({
        path: `${path}/rotate`,
        effect: 'Plaid signs with a new key, which the product must fetch. The old one stays valid.',
        button: 'Use a new key',
      })}
    </details>`
}

function settingsOf({ drop, duplicate, reorder, delayMs, tampering }: DeliveryFaults): Html[] {
  const next = (count: number): string =>
    count === Infinity ? 'All webhooks' : `The next ${counted(count, 'webhook')}`
  return [
    ...(drop > 0 ? [html`<li>${next(drop)} will ${countedFaults.drop[1]}.</li>`] : []),
    ...(duplicate > 0 ? [html`<li>${next(duplicate)} will ${countedFaults.duplicate[1]}.</li>`] : []),
    ...(reorder > 0 ? [html`<li>${next(reorder)} will ${countedFaults.reorder[1]}.</li>`] : []),
    ...(delayMs > 0 ? [html`<li>Webhooks wait ${delayMs / 1000} seconds.</li>`] : []),
    ...(tampering !== null ? [html`<li>Signatures are broken: ${tampering}.</li>`] : []),
  ]
}

const states: Readonly<Record<Delivery['state'], string>> = {
  waiting: 'On its way',
  delivered: 'Delivered',
  retrying: 'Failed; Plaid tries again',
  failed: 'Failed; Plaid has given up',
  dropped: 'Lost on purpose',
}

function row({ body, item_id: itemId, state, attempts, url }: Delivery): Html {
  const lines = attempts.map(({ at, status, error }) => `${at} ${status ?? error ?? 'no response'}`)
  return html`<li>
    <details>
      <summary>
        <span class="name"
          >${String(body['webhook_type'])} ${String(body['webhook_code'])}<small>${itemId ?? 'no item'}</small></span
        >
        <span class="amount">${states[state]}</span>
      </summary>
      <pre tabindex="0" role="group" aria-label="Webhook">
POST ${url}

${JSON.stringify(body, null, 2)}

${lines.length === 0 ? 'no attempt yet' : lines.join('\n')}</pre>
    </details>
  </li>`
}
