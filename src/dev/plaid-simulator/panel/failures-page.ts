// Calls that fail, and responses that differ from what the bank has.
import { faultView } from '../control/order-fault.ts'
import { alterationView } from '../control/order-alteration.ts'
import { type Html, html } from '../link-page/html.ts'
import type { World } from '../state/world.ts'
import { type PanelPage, panelPath } from './layout.ts'
import { endpointNames, failures } from './other-orders.ts'
import { action, choose, field } from './parts.ts'

const path = `${panelPath}/failures`

const endpointChoice = (): Html =>
  choose(
    'endpoint',
    'Endpoint',
    endpointNames.map((value) => ({ value, label: value === '*' ? 'Every endpoint' : value })),
    '/transactions/sync',
  )

export function failuresPage({ faults, alterations }: World): PanelPage {
  return {
    here: 'failures',
    title: 'Failures',
    body: html`<section class="card" aria-labelledby="calls">
        <h2 id="calls">Failing calls</h2>
        ${waiting(faults.map(faultView), 'No call is set to fail.', {
          path: `${path}/no-failures`,
          effect: 'Calls succeed again.',
          button: 'Remove all failures',
        })}
        ${action({
          path: `${path}/fail`,
          effect: 'The next calls of the application fail in this way. It must try again, and lose nothing.',
          button: 'Make the calls fail',
          fields: html`${choose(
            'failure',
            'Failure',
            Object.entries(failures).map(([value, { label }]) => ({ value, label })),
          )}
          ${endpointChoice()} ${field({ name: 'times', label: 'Number of calls', type: 'number', value: '1' })}`,
        })}
      </section>
      <section class="card" aria-labelledby="odd">
        <h2 id="odd">Odd responses</h2>
        ${waiting(alterations.map(alterationView), 'Responses are as the bank has them.', {
          path: `${path}/no-changes`,
          effect: 'Responses are as the bank has them again.',
          button: 'Remove all changes',
        })}
        ${action({
          path: `${path}/alter`,
          effect: 'Successful responses have this value at this place. The bank itself stays as it is.',
          button: 'Change the responses',
          fields: html`${endpointChoice()}
          ${field({ name: 'path', label: 'Place', value: 'added[0].authorized_date', hint: 'accounts[*].name' })}
          ${choose('change', 'Change', [
            { value: 'value', label: 'Another value' },
            { value: 'remove', label: 'The member is absent' },
            { value: 'wrong_type', label: 'A value of another JSON type' },
          ])}
          ${field({ name: 'value', label: 'Value, as JSON', value: '""', isOptional: true })}
          ${field({
            name: 'times',
            label: 'Number of responses (all if empty)',
            type: 'number',
            isOptional: true,
          })}`,
        })}
      </section>`,
  }
}

function waiting(rules: readonly object[], none: string, end: Parameters<typeof action>[0]): Html {
  if (rules.length === 0) return html`<p>${none}</p>`
  return html`<ul class="list">
      ${rules.map((rule) => html`<li>${ruleText(rule)}</li>`)}
    </ul>
    ${action(end)}`
}

/** The members of a rule that have an effect. */
function ruleText(rule: object): string {
  const none: readonly unknown[] = [null, false, 0]
  return Object.entries(rule)
    .filter(([name, value]) => name === 'value' || !none.includes(value))
    .map(([name, value]) => {
      const text = typeof value === 'string' && name !== 'value' ? value : JSON.stringify(value)
      return `${name.replaceAll('_', ' ')} ${text}`
    })
    .join(', ')
}
