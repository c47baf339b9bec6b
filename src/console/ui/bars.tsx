// Bars over time, one or two for each interval. A slider over the picture chooses an interval by mouse, touch or keyboard; the
// page has every amount as a table.
import { type PointerEvent, useId } from 'react'
import { approximately, type Decimal } from '../format/money.ts'

export interface Bar {
  readonly key: string
  /** Below the bar; where there is no room, below each second one. */
  readonly short: string
  /** The interval and its amounts, in words. */
  readonly text: string
  readonly values: readonly Decimal[]
}

interface BarsProps {
  readonly title: string
  readonly bars: readonly Bar[]
  /** The names of the values of each bar, which are also the classes of their colours. */
  readonly series: readonly ('in' | 'out')[]
  readonly chosen: number
  readonly choose: (index: number) => void
}

const [width, height] = [720, 200]
const inset = { top: 12, right: 4, bottom: 2, left: 4 }
const innerWidth = width - inset.left - inset.right
const innerHeight = height - inset.top - inset.bottom
const base = height - inset.bottom

const round = (value: number): number => Math.round(value * 10) / 10

interface Shape {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** The rectangles of one interval. Refunds can exceed what was spent: a negative amount has no bar. */
function shapesOf(values: readonly Decimal[], index: number, count: number, highest: number): Shape[] {
  const slot = innerWidth / count
  const barWidth = Math.min(slot * 0.7, 44 * values.length) / values.length
  const start = inset.left + slot * index + (slot - barWidth * values.length) / 2
  return values.map((value, at) => {
    const amount = Math.max(0, approximately(value))
    const barHeight = highest === 0 || amount === 0 ? 0 : Math.max(2, (amount / highest) * innerHeight)
    return {
      x: round(start + barWidth * at),
      y: round(base - barHeight),
      width: round(barWidth - (values.length > 1 ? 1 : 0)),
      height: round(barHeight),
    }
  })
}

export function Bars({ title, bars, series, chosen, choose }: BarsProps) {
  const id = useId()
  const highest = Math.max(0, ...bars.flatMap(({ values }) => values.map(approximately)))
  const slot = innerWidth / Math.max(1, bars.length)
  const press = (event: PointerEvent<HTMLDivElement>): void => {
    const box = event.currentTarget.getBoundingClientRect()
    const x = ((event.clientX - box.left) / box.width) * width - inset.left
    choose(Math.min(bars.length - 1, Math.max(0, Math.floor(x / slot))))
  }
  return (
    <>
      <div className="plot bars" onPointerDown={press}>
        <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-labelledby={`${id}t ${id}d`}>
          <title id={`${id}t`}>{title}</title>
          <desc id={`${id}d`}>{bars.map(({ text }) => text).join('; ')}</desc>
          <rect className="slot" x={round(inset.left + slot * chosen)} y={0} width={round(slot)} height={height} />
          {bars.map(({ key, values }, index) => (
            <g key={key} className={index === chosen ? 'chosen' : undefined}>
              {shapesOf(values, index, bars.length, highest).map((shape, at) => (
                <rect key={series[at]} className={`bar ${series[at] ?? ''}`} {...shape} />
              ))}
            </g>
          ))}
          <line className="axis" x1={inset.left} x2={width - inset.right} y1={base} y2={base} />
        </svg>
        <input
          type="range"
          className="scrub"
          min="0"
          max={Math.max(0, bars.length - 1)}
          value={chosen}
          aria-label={title}
          aria-valuetext={bars[chosen]?.text ?? ''}
          onChange={(event) => choose(Number(event.currentTarget.value))}
        />
      </div>
      <div className="bar-labels" aria-hidden="true">
        {bars.map(({ key, short }) => (
          <span key={key}>{short}</span>
        ))}
      </div>
    </>
  )
}
