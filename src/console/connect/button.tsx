// The button that opens Link's page, and what it says while the page is prepared.
import { WriteButton } from '../ui/read-only.tsx'
import { useConnect } from './provider.tsx'

interface ConnectButtonProps {
  readonly kind?: 'link' | 'repair' | 'accounts'
  readonly itemId?: string
  readonly label?: string
  readonly quiet?: boolean
}

export function ConnectButton({
  kind = 'link',
  itemId = '',
  label = 'Connect a bank',
  quiet = false,
}: ConnectButtonProps) {
  const bank = useConnect()
  const { state, busy } = bank
  const purpose = 'purpose' in state ? state.purpose : null
  const isOurs = purpose?.kind === kind && (purpose.kind === 'link' || purpose.itemId === itemId)
  const start = (): void => {
    if (kind === 'link') bank.connect()
    else if (kind === 'repair') bank.repair(itemId)
    else bank.addAccounts(itemId)
  }
  return (
    <WriteButton className={quiet ? 'button' : 'button primary'} disabled={busy} onClick={start}>
      {isOurs && busy && (state.name === 'creating' || state.name === 'linking') ? 'Opening…' : label}
    </WriteButton>
  )
}
