// Says on other pages that a bank needs the person, with the one button that helps.
import type { Item } from '@wealthnavigator/client'
import { ConnectButton } from '../connect/button.tsx'
import { itemWords } from '../format/words.ts'
import { Link } from '../router/link.tsx'

export function BankNotice({ item }: { readonly item: Item }) {
  const { tone, state, detail, action } = itemWords(item)
  return (
    <section className={`notice ${tone}`} aria-label={`${item.institution.name ?? 'Bank'}: ${state}`}>
      <p>
        <strong>
          <Link to="/banks">{item.institution.name ?? 'Your bank'}</Link>: {state}.
        </strong>{' '}
        {detail}
      </p>
      {action === null ? null : (
        <div className="actions">
          <ConnectButton kind={action.kind} itemId={item.id} label={action.label} />
        </div>
      )}
    </section>
  )
}
