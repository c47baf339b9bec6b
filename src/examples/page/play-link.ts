// Plays Plaid Link with the simulator, for a machine without network: a dialog in place of Plaid's own. Your page does not need
// it: without `createLink`, the hook loads Plaid's script.
import type { CreatePlaid } from '@wealthnavigator/react'

function button(label: string, onClick: () => void): HTMLButtonElement {
  const element = document.createElement('button')
  element.textContent = label
  element.addEventListener('click', onClick)
  return element
}

/** A `Plaid.create` whose user chooses First Platypus Bank, or leaves. */
export const playLink =
  (simulator: string): CreatePlaid =>
  ({ token, onSuccess, onExit }) => {
    const dialog = document.createElement('dialog')
    const finish = async (): Promise<void> => {
      const response = await fetch(`${simulator}/simulator/link`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ link_token: token }),
      })
      const { public_token: publicToken } = (await response.json()) as { public_token: string | null }
      dialog.close()
      onSuccess(publicToken ?? '', {})
    }
    const title = document.createElement('h2')
    title.textContent = 'Simulated Link'
    const row = document.createElement('p')
    row.className = 'row'
    row.append(
      button(
        'First Platypus Bank',
        () => void finish().catch(() => onExit({ error_message: 'The simulator failed.' })),
      ),
      button('Close', () => {
        dialog.close()
        onExit(null)
      }),
    )
    dialog.append(title, row)
    return {
      open() {
        document.body.append(dialog)
        dialog.showModal()
      },
      destroy: () => dialog.remove(),
    }
  }
