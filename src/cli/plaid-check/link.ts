// Checks that use the connection: an item of the sandbox from its link to its removal, and the webhook URL.
import * as z from 'zod'
import { type Check, fail, pass, warn } from '../lib/checks.ts'
import { problemCode } from '../smoke/target.ts'
import { type PlaidPorts, problemOf } from './ports.ts'

/** First Platypus Bank, which exists in the sandbox only. */
const testBank = 'ins_109508'

const publicTokenSchema = z.object({ public_token: z.string() })
const exchangedSchema = z.object({ access_token: z.string(), item_id: z.string() })

/** The body of a successful response. @throws Error with Plaid's error */
async function bodyOf({ call }: PlaidPorts, path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await call(path, body)
  if (answer.ok) return answer.body
  throw new Error(`${path}: ${problemOf(answer)}`)
}

const sandboxLink: Check<PlaidPorts> = {
  name: 'sandbox link',
  async check(ports) {
    const { environment, products } = ports.settings
    if (environment !== 'sandbox')
      return warn(
        'not tried: in production only a user can link a bank',
        'Run it with the secret of the sandbox, and link one bank by hand: docs/go-live.md.',
      )
    const created = await bodyOf(ports, '/sandbox/public_token/create', {
      institution_id: testBank,
      initial_products: products.slice(0, 1),
    })
    const exchanged = await bodyOf(ports, '/item/public_token/exchange', publicTokenSchema.parse(created))
    const { access_token: accessToken, item_id: itemId } = exchangedSchema.parse(exchanged)
    let read: string | null = null
    try {
      await bodyOf(ports, '/item/get', { access_token: accessToken })
    } catch (error) {
      read = error instanceof Error ? error.message : String(error)
    }
    const removed = await ports.call('/item/remove', { access_token: accessToken })
    if (!removed.ok)
      return fail(`the item ${itemId} was not removed (${problemOf(removed)})`, 'Remove it in the dashboard of Plaid.')
    if (read !== null) return fail(read, 'Look at https://status.plaid.com, and run it again.')
    return pass('a test item was linked, read and removed')
  },
}

const webhook: Check<PlaidPorts> = {
  name: 'webhook URL',
  async check({ settings, ask }) {
    const url = URL.parse(settings.webhookUrl)
    if (url === null) return fail('PLAID_WEBHOOK_URL is no URL', 'docs/configuration.md has its form.')
    const isPlain = url.protocol !== 'https:'
    if (isPlain && settings.environment === 'production')
      return fail('PLAID_WEBHOOK_URL is not https', 'Give it the https URL of the deployment.')
    const headers = { 'content-type': 'application/json' }
    const answer = await ask(settings.webhookUrl, { method: 'POST', headers, body: '{}' })
    const remedy = 'The zone must pass this path to the Worker, without a challenge: docs/deployment.md, *Firewall*.'
    if (answer.status === 401 && problemCode(answer) === 'webhook_refused')
      return isPlain
        ? warn('the Worker responds, over plain http: Plaid needs https', 'Point a tunnel with https at it.')
        : pass('the Worker responds, and refuses an unsigned webhook')
    return fail(`${settings.webhookUrl} gives ${answer.status} in place of 401 webhook_refused`, remedy)
  },
}

export const linkChecks: readonly Check<PlaidPorts>[] = [sandboxLink, webhook]
