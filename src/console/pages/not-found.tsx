// An address that no page has.
import { Link } from '../router/link.tsx'
import { Page } from '../ui/page.tsx'

export default function NotFound() {
  return (
    <Page title="There is no such page" lead="The address may be mistyped, or the page has moved.">
      <p>
        <Link to="/">Go to the overview</Link>
      </p>
    </Page>
  )
}
