// A person in front of the Bank panel without a browser: opens pages and sends the forms that they have.
import type { BankDesk } from './bank-desk.ts'

export interface Panel {
  /** The text of a page below /panel. */
  open(path?: string): Promise<{ status: number; text: string; headers: Headers }>
  /** Sends the form with this action from this page, which must have it. Returns the line that says what happened. */
  submit(page: string, action: string, fields?: Record<string, string>): Promise<string>
}

export function panelOf({ simulator }: Pick<BankDesk, 'simulator'>): Panel {
  const open = async (path = '') => {
    const response = await fetch(`${simulator.url}/panel${path}`)
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
  return {
    open,
    async submit(page, action, fields = {}) {
      const { text } = await open(page)
      const path = `/panel${page}/${action}`
      if (!text.includes(`action="${path}"`)) throw new Error(`/panel${page} has no form for ${action}`)
      const response = await fetch(`${simulator.url}${path}`, {
        method: 'POST',
        body: new URLSearchParams(fields),
        headers: { origin: simulator.url, 'sec-fetch-site': 'same-origin' },
      })
      const said = /<p role="(?:status|alert)"[^>]*>([^<]*)<\/p>/.exec(await response.text())
      if (!response.redirected || said === null) throw new Error(`${path} said nothing (${response.status})`)
      return plain(said[1] ?? '')
    },
  }
}

const plain = (text: string): string =>
  text.trim().replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&amp;', '&')
