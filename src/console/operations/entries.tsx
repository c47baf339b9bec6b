// A list for operators. Each page that is read is in the audit trail, so only the button reads the next one.
import type { ComponentProps, ReactNode } from 'react'
import { Paged } from '../ui/paged.tsx'

interface EntriesProps<Row> extends Pick<ComponentProps<typeof Paged<Row>>, 'query' | 'label'> {
  readonly empty: string
  readonly children: (row: Row) => ReactNode
}

export function Entries<Row>({ query, label, empty, children }: EntriesProps<Row>) {
  return (
    <Paged query={query} label={label} empty={{ title: empty }} byButton>
      {(rows) => <ol className="entries">{rows.map(children)}</ol>}
    </Paged>
  )
}
