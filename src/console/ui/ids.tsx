// The ids of a row of a list, one click away.
import { CopyId } from './copy.tsx'

export interface GivenId {
  readonly label: string
  readonly value: string | null
}

export const CopyIds = ({ ids }: { readonly ids: readonly GivenId[] }) => (
  <span className="ids">
    {ids.map(({ label, value }) =>
      value === null ? null : <CopyId key={`${label} ${value}`} label={label} value={value} />,
    )}
  </span>
)

interface IdsProps {
  /** Which row, for readers who do not see it. */
  readonly of: string
  readonly ids: readonly GivenId[]
}

/** A line of a table below the row of these ids, so that the row's header is its name alone. */
export const IdsRow = (given: IdsProps) => (
  <tr className="ids-row">
    {/* As many columns as a narrow screen shows. */}
    <td colSpan={2}>
      <Ids {...given} />
    </td>
  </tr>
)

export const Ids = ({ of, ids }: IdsProps) => (
  <details className="row-ids">
    <summary>
      Ids<span className="visually-hidden"> of {of}</span>
    </summary>
    <CopyIds ids={ids} />
  </details>
)
