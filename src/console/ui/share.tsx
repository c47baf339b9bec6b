// How much of a whole something is, as a bar. The text beside it has the amount.
export function Share({ part, whole }: { readonly part: number; readonly whole: number }) {
  const width = whole <= 0 ? 0 : Math.min(100, Math.max(0, (part / whole) * 100))
  return (
    <svg className="share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect className="share-whole" width="100" height="4" />
      <rect className="share-part" width={Math.round(width * 10) / 10} height="4" />
    </svg>
  )
}
