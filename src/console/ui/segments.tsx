// One choice of a few, side by side.
interface SegmentsProps<Key extends string> {
  /** What is chosen, for readers who do not see it. */
  readonly label: string
  readonly options: readonly { readonly key: Key; readonly label: string }[]
  readonly chosen: Key
  readonly choose: (key: Key) => void
}

export function Segments<Key extends string>({ label, options, chosen, choose }: SegmentsProps<Key>) {
  return (
    <fieldset className="segments">
      <legend className="visually-hidden">{label}</legend>
      {options.map(({ key, label: text }) => (
        <label key={key}>
          <input type="radio" name={label} checked={key === chosen} onChange={() => choose(key)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  )
}
