// A user in front of Link's pages without a browser: follows redirects within the simulator, and sends forms.
import { CountryCode, Products } from 'plaid'
import type { BankDesk } from './bank-desk.ts'

export interface Seen {
  status: number
  text: string
  headers: Headers
  /** The path of the page. */
  path: string
  /** The URL of another site to which the simulator sent the browser, or null. */
  leftTo: string | null
}

export interface LinkVisitor {
  /** The page that the user sees. */
  readonly seen: Seen
  open(pathOrUrl: string): Promise<Seen>
  /** Sends a form to an action next to the page's path, such as `login`. The page must have that form. */
  submit(action: string, fields?: Record<string, string | string[]>): Promise<Seen>
}

export function linkVisitor({ simulator }: Pick<BankDesk, 'simulator'>): LinkVisitor {
  let seen: Seen = { status: 0, text: '', headers: new Headers(), path: '', leftTo: null }
  const load = async (url: string, init: RequestInit = {}): Promise<Seen> => {
    const response = await fetch(url, { ...init, redirect: 'manual' })
    const { status, headers } = response
    const location = headers.get('location')
    const text = await response.text()
    if (location === null) {
      seen = { status, text, headers, path: new URL(url).pathname, leftTo: null }
      return seen
    }
    const target = new URL(location, url)
    if (target.origin === simulator.url) return await load(target.href)
    seen = { status, text, headers, path: new URL(url).pathname, leftTo: target.href }
    return seen
  }
  return {
    get seen() {
      return seen
    },
    open: (pathOrUrl) => load(new URL(pathOrUrl, simulator.url).href),
    async submit(action, fields = {}) {
      const form = `action="${seen.path}/${action}"`
      if (!seen.text.includes(form)) throw new Error(`${seen.path} has no form with ${form}`)
      const body = new URLSearchParams()
      for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) body.append(name, one)
      const headers = { origin: simulator.url }
      return await load(`${simulator.url}${seen.path}/${action}`, { method: 'POST', body, headers })
    },
  }
}

const fields = {
  client_name: 'Test <app>',
  language: 'en',
  country_codes: [CountryCode.Us],
  user: { client_user_id: 'somebody' },
}

/** A link token, hosted unless `more` says otherwise, and the path of its page. */
export async function linkTokenFor(desk: BankDesk, more: object = {}) {
  const products = 'access_token' in more ? {} : { products: [Products.Transactions] }
  const { data } = await desk.plaid.linkTokenCreate({ ...fields, ...products, hosted_link: {}, ...more })
  return { token: data.link_token, url: data.hosted_link_url ?? '' }
}

export const goodLogin = { username: 'user_good', password: 'pass_good' }

/** The values of the accounts that the page offers, and those that it preselects. */
export function offered(text: string): { all: string[]; checked: string[] } {
  const inputs = [...text.matchAll(/<input\s+type="checkbox"\s+name="account"\s+value="([^"]+)"\s*(checked)?/g)]
  const ids = (found: RegExpExecArray[]): string[] => found.map(([, id]) => id ?? '')
  return { all: ids(inputs), checked: ids(inputs.filter(([, , checked]) => checked !== undefined)) }
}

/** Goes to the login page of a bank. */
export async function atLogin(visitor: LinkVisitor, url: string, institution = 'ins_109508'): Promise<Seen> {
  await visitor.open(url)
  await visitor.submit('consent')
  return await visitor.submit('bank', { institution_id: institution })
}
