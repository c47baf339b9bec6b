// Reads Prometheus' text format as strictly as its specification (version 0.0.4), and refuses what a scrape would refuse.

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly Sample[]
}

const samplePattern =
  /^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?<labels>.*)\})? (?<value>[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/
const labelPattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y
const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  labelPattern.lastIndex = 0
  while (labelPattern.lastIndex < text.length) {
    const at = labelPattern.lastIndex
    const [, name = '', value = ''] = labelPattern.exec(text) ?? []
    if (name === '' || Object.hasOwn(labels, name)) throw new Error(`No label at ${at}: ${text}`)
    labels[name] = value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
  }
  return labels
}

function sampleOf(line: string): Sample {
  const { name = '', labels = '', value = '' } = samplePattern.exec(line)?.groups ?? {}
  if (name === '') throw new Error(`No sample: ${line}`)
  return { name, labels: labelsOf(labels), value: Number(value.replace('Inf', 'Infinity')) }
}

function checkHistogram({ name, samples }: Family): void {
  // JSON leaves out what is undefined.
  const series = Map.groupBy(samples, ({ labels }) => JSON.stringify({ ...labels, le: undefined }))
  for (const [labels, of] of series) {
    const buckets = of.filter((sample) => sample.name === `${name}_bucket`)
    const bounds = buckets.map((sample) => Number(sample.labels['le']?.replace('+Inf', 'Infinity')))
    const counts = buckets.map(({ value }) => value)
    const count = of.find((sample) => sample.name === `${name}_count`)?.value
    const isSorted = (values: readonly number[]) =>
      values.every((value, index) => value >= (values[index - 1] ?? -Infinity))
    if (!isSorted(bounds) || !isSorted(counts) || bounds.at(-1) !== Infinity || counts.at(-1) !== count)
      throw new Error(`No histogram: ${name} ${labels}`)
    if (!of.some((sample) => sample.name === `${name}_sum`)) throw new Error(`No sum: ${name} ${labels}`)
  }
}

/** @throws Error for a line that Prometheus would refuse, a repeated series or family, or a histogram that is none */
export function parseExposition(text: string): Family[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('The last line has no end.')
  const families: (Family & { readonly samples: Sample[] })[] = []
  const seen = new Set<string>()
  let help: { name: string; text: string } | null = null
  for (const line of text.split('\n').slice(0, -1)) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line) ?? []
    const family = families.at(-1)
    if (kind === 'HELP') help = { name, text: rest }
    else if (kind === 'TYPE') {
      if (help?.name !== name || families.some((other) => other.name === name)) throw new Error(`Misplaced: ${line}`)
      families.push({ name, type: rest, help: help.text, samples: [] })
    } else {
      const sample = sampleOf(line)
      const key = JSON.stringify([sample.name, Object.entries(sample.labels).map(String).toSorted()])
      const names = (suffixes[family?.type ?? ''] ?? []).map((suffix) => `${family?.name}${suffix}`)
      if (!names.includes(sample.name) || seen.has(key)) throw new Error(`Misplaced: ${line}`)
      seen.add(key)
      family?.samples.push(sample)
    }
  }
  for (const family of families) if (family.type === 'histogram') checkHistogram(family)
  return families
}
