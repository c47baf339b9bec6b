// Runs the demo: starts a stack, runs the steps until one finds a difference, and always stops the stack.
import type { Print } from '../../dev/lib/output.ts'
import type { Customer, Demo, Finding } from './context.ts'
import type { Options } from './options.ts'
import { type OwnStack, startOwnStack } from './own-stack.ts'
import type { Report } from './report.ts'
import { stepsFor } from './steps.ts'

const defaultBank = 'sample bank'
const linesKept = 200

type Stage = Omit<Demo, 'found'>

/**
 * Resolves with whether everything was equal. If a part failed, prints the stack's last warnings and errors, then
 * rejects.
 */
export async function runDemo(options: Options, report: Report, given: AbortSignal): Promise<boolean> {
  const failing = new AbortController()
  const signal = AbortSignal.any([given, failing.signal])
  const problems = problemLog()
  let stack: OwnStack | undefined
  try {
    report.say('starting a separate stack: database, Neon endpoint, Plaid simulator, Worker; its data are thrown away')
    stack = await startOwnStack(problems.print, signal, (message) => failing.abort(new Error(message)))
    report.say(`ready: API ${stack.urls.api}, Plaid simulator ${stack.urls.plaid}`)
    if (options.seed !== null) await stack.bank.reset(options.seed)
    const stage: Stage = { ...stack, say: (text) => report.say(text), signal, timeoutMs: options.timeoutMs }
    return await goThrough(stage, await customersOf(stack, options), report)
  } catch (error) {
    if (given.aborted) throw new Error('Stopped before the end.', { cause: error })
    for (const line of problems.lines) report.say(line)
    throw failing.signal.aborted ? failing.signal.reason : error
  } finally {
    await stack?.stop()
  }
}

async function goThrough(stage: Stage, customers: readonly Customer[], report: Report): Promise<boolean> {
  let equal = true
  let current = { index: 0, title: '' }
  const found = (finding: Finding) => {
    equal &&= finding.differences.length === 0
    report.found(current, finding)
  }
  for (const [index, { title, run }] of stepsFor({ ...stage, found }, customers).entries()) {
    current = { index: index + 1, title }
    report.step(current)
    await run()
    if (!equal) return false
  }
  return true
}

/** The sample bank first, then each custom user, all with separate users of the API. */
async function customersOf({ apiFor }: OwnStack, { customUsers }: Options): Promise<Customer[]> {
  const sample: Customer = {
    name: defaultBank,
    login: { username: 'user_rare_values' },
    api: await apiFor(defaultBank),
  }
  const others = customUsers.map(async ({ name, password }) => ({
    name,
    login: { username: 'user_custom', password },
    api: await apiFor(`custom user ${name}`),
  }))
  return [sample, ...(await Promise.all(others))]
}

/** Collects the stack's last warnings and errors, to print them if a part fails. */
function problemLog(): { print: Print; lines: readonly string[] } {
  const lines: string[] = []
  const print: Print = (part, message, level) => {
    if (level !== 'warn' && level !== 'error') return
    lines.push(`${level} ${part}: ${message}`)
    lines.splice(0, Math.max(0, lines.length - linesKept))
  }
  return { print, lines }
}
