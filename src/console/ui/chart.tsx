// A line over time. A slider over the picture chooses a point by mouse, touch or keyboard; a table has every point as text.
import { type PointerEvent, useId, useState } from 'react'
import { formatDay, formatShortDay } from '../format/dates.ts'
import { formatMoney } from '../format/money.ts'
import { areaOf, breaksIn, height, inset, lineOf, place, type Point, round, stretchesOf, width } from './line.ts'

interface ChartProps {
  readonly title: string
  readonly points: readonly Point[]
  readonly currency: string | null
}

/** The latest ones are named. */
const mostBreaks = 6

function Table({ title, points, currency }: ChartProps) {
  return (
    <details className="chart-table">
      <summary>Show as a table</summary>
      <div className="scroll" tabIndex={0} role="region" aria-label={`${title} as a table`}>
        <table>
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col" className="number">
                Amount
              </th>
            </tr>
          </thead>
          <tbody>
            {points.toReversed().map(({ date, value, estimated }) => (
              <tr key={date}>
                <th scope="row">
                  {formatDay(date)}
                  {estimated ? ', estimated' : ''}
                </th>
                <td className="number">{formatMoney(value, currency)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}

export function Chart(props: ChartProps) {
  const { title, points, currency } = props
  const [chosen, setChosen] = useState<number | null>(null)
  const id = useId()
  const placed = place(points)
  const [first, last] = [placed[0], placed.at(-1)]
  const [firstPoint, lastPoint] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined || firstPoint === undefined || lastPoint === undefined) return null
  const index = Math.min(chosen ?? points.length - 1, points.length - 1)
  const [point, mark] = [points[index] ?? lastPoint, placed[index] ?? last]
  const breaks = breaksIn(points).slice(-mostBreaks)
  const lastEstimate = points.findLast(({ estimated }) => estimated)
  const textOf = ({ date, value, estimated }: Point): string =>
    `${formatDay(date)}: ${formatMoney(value, currency)}${estimated ? ', estimated' : ''}`
  const follow = (event: PointerEvent<HTMLDivElement>): void => {
    const box = event.currentTarget.getBoundingClientRect()
    const x = ((event.clientX - box.left) / box.width) * width
    const distances = placed.map((each) => Math.abs(each.x - x))
    setChosen(distances.indexOf(Math.min(...distances)))
  }
  return (
    <figure className="chart">
      <div className="plot" onPointerMove={follow} onPointerLeave={() => setChosen(null)}>
        <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-labelledby={`${id}t ${id}d`}>
          <title id={`${id}t`}>{title}</title>
          <desc id={`${id}d`}>
            From {textOf(firstPoint)} to {textOf(lastPoint)}.
          </desc>
          <line
            className="axis"
            x1={inset.left}
            x2={width - inset.right}
            y1={height - inset.bottom}
            y2={height - inset.bottom}
          />
          {stretchesOf(points, placed).map(({ isEstimated, placed: part }) =>
            part.length < 2 ? null : (
              <g key={`${part[0]?.x ?? 0} ${String(isEstimated)}`} className={isEstimated ? 'estimated' : undefined}>
                {isEstimated ? null : <path className="area" d={areaOf(part)} />}
                <path className="line" d={lineOf(part)} />
              </g>
            ),
          )}
          {chosen === null ? null : (
            <line className="cursor" x1={mark.x} x2={mark.x} y1={inset.top} y2={height - inset.bottom} />
          )}
          <path className="mark" d={`M${round(mark.x)} ${round(mark.y)}h0.01`} />
        </svg>
        {points.length > 1 ? (
          <input
            type="range"
            className="scrub"
            min="0"
            max={points.length - 1}
            value={index}
            aria-label={`Day of ${title}`}
            aria-valuetext={textOf(point)}
            onChange={(event) => setChosen(Number(event.currentTarget.value))}
          />
        ) : null}
      </div>
      <div className="ticks" aria-hidden="true">
        <span>{formatShortDay(firstPoint.date)}</span>
        <span>{formatShortDay(lastPoint.date)}</span>
      </div>
      <figcaption>
        <p className="reading" aria-hidden="true">
          {textOf(point)}
        </p>
        {lastEstimate === undefined ? null : (
          <p className="muted">
            Up to {formatDay(lastEstimate.date)}, balances are estimated from transactions: the dashed line.
          </p>
        )}
        {breaks.length === 0 ? null : (
          <p className="muted">
            Accounts join or leave on {breaks.map(({ date }) => formatDay(date)).join('; ')}: the line breaks there. An
            account without past balances, such as investments, joins on the day it is linked.
          </p>
        )}
        <Table {...props} />
      </figcaption>
    </figure>
  )
}
