// Each error that the code logs was decided on: an alarm, a measurement, or a line.
import { readFile } from 'node:fs/promises'
import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Decision, eventsOf, isCounted, loggedEvents } from '../../../../src/monitoring/alarms/logged-events.ts'
import { rules } from '../../../../src/monitoring/alarms/rules.ts'
import { projectFolder } from '../../../../src/dev/lib/project-folder.ts'

const decisions: readonly (readonly [string, Decision])[] = Object.entries(loggedEvents)
const names = new Set(rules.map(({ name }) => name))

/** The events of the Worker's code, by level. `http_request` has its level from a variable. */
async function loggedIn(level: 'error' | 'warn'): Promise<Set<string>> {
  const found = new Set<string>(['http_request'])
  for await (const file of glob('src/**/*.ts', { cwd: projectFolder })) {
    if (/^src\/(?:dev|cli)\//.test(file)) continue
    const text = await readFile(join(projectFolder, file), 'utf8')
    for (const [, event = ''] of text.matchAll(new RegExp(String.raw`\blog(?:'\))?\.${level}\(\s*'([a-z0-9_]+)'`, 'g')))
      found.add(event)
  }
  return found
}

describe('the decisions', () => {
  it('exist for every error that the code logs', async () => {
    const errors = await loggedIn('error')
    expect(errors.size).toBeGreaterThan(50)
    expect([...errors].filter((event) => !Object.hasOwn(loggedEvents, event))).toEqual([])
  })

  it('name only events that the code logs', async () => {
    const all = new Set([...(await loggedIn('error')), ...(await loggedIn('warn'))])
    expect(Object.keys(loggedEvents).filter((event) => !all.has(event))).toEqual([])
  })

  it('name only alarms that exist', () => {
    const named = decisions.flatMap(([, decision]) =>
      'alarm' in decision ? [decision.alarm] : 'measuredBy' in decision ? [decision.measuredBy] : [],
    )
    expect(named.length).toBeGreaterThan(30)
    expect(named.filter((name) => !names.has(name))).toEqual([])
  })

  it('say why a line is no alarm', () => {
    const reasons = decisions.flatMap(([, decision]) => ('line' in decision ? [decision.line] : []))
    expect(reasons.filter((why) => !/\w+ \w+/.test(why))).toEqual([])
  })

  it('are counted if they fire an alarm, and no other event is', () => {
    const wrong = decisions.filter(([event, decision]) => isCounted(event) !== 'alarm' in decision)
    expect(wrong).toEqual([])
    expect(['', 'constructor', 'toString', 'another_event'].filter(isCounted)).toEqual([])
    expect(eventsOf('rotations_failing').length).toBeGreaterThan(3)
  })
})
