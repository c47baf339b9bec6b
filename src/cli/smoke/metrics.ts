// Reads Prometheus text: only what the checks after a deployment need of it.

export interface Point {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const pointPattern = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/
const labelPattern = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g

/** The points of an exposition. Comments and other lines are left out. */
export function parseMetrics(text: string): Point[] {
  return text.split('\n').flatMap((line) => {
    const found = pointPattern.exec(line)
    const value = Number(found?.[3])
    if (found?.[1] === undefined || !Number.isFinite(value)) return []
    const labels = Object.fromEntries(
      [...(found[2] ?? '').matchAll(labelPattern)].map(([, name, text_]) => [name, text_]),
    )
    return [{ name: found[1], labels, value }]
  })
}

export const sumOf = (
  points: readonly Point[],
  name: string,
  matches: (labels: Point['labels']) => boolean = () => true,
): number =>
  points.filter((point) => point.name === name && matches(point.labels)).reduce((sum, { value }) => sum + value, 0)

/** One value of a gauge; null where there is none. */
export const gaugeOf = (points: readonly Point[], name: string): number | null =>
  points.find((point) => point.name === name)?.value ?? null
