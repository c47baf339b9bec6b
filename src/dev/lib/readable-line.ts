// One readable line for an event of the Worker's log: `http_request GET /api/v1/accounts 200 12ms actor=user`.
import * as z from 'zod'

const eventSchema = z.looseObject({ time: z.string(), level: z.string(), event: z.string() })
const errorSchema = z.looseObject({ name: z.string(), message: z.string(), stack: z.array(z.string()).default([]) })

/** Written first and without their names, in this order. */
const leading = ['method', 'route', 'status', 'job', 'outcome'] as const
const hidden: ReadonlySet<string> = new Set(['time', 'level', 'event', 'error', 'duration_ms', 'release', ...leading])

function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /[\s"]/.test(text) ? JSON.stringify(text) : text
}

/** The error and the place where it was thrown. */
function errorIn(error: unknown): string[] {
  const { data } = errorSchema.safeParse(error)
  if (data === undefined) return []
  const [frame] = data.stack
  return [`${data.name}: ${data.message}${frame === undefined ? '' : ` (${frame})`}`]
}

/** The line as people read it; a line that is no event of the log stays as it is. */
export function readableLine(line: string): string {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch {
    return line
  }
  const { data } = eventSchema.safeParse(parsed)
  if (data === undefined) return line
  const first = leading.flatMap((name) => (data[name] === undefined ? [] : [textOf(data[name])]))
  const duration = typeof data['duration_ms'] === 'number' ? [`${data['duration_ms']}ms`] : []
  const rest = Object.entries(data).flatMap(([name, value]) => (hidden.has(name) ? [] : [`${name}=${textOf(value)}`]))
  const parts = [data.event, ...first, ...duration, ...rest, ...errorIn(data['error'])]
  return parts.join(' ').replaceAll(/\s+/g, ' ')
}
