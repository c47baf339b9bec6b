// Decides whether an alarm fires or resolves. Pure: the same state, value and time give the same result.
import type { Book, Notification, RuleState } from './book.ts'
import type { Readings } from './readings.ts'
import type { Rule } from './rule.ts'

const minuteMs = 60_000
/** An alarm that fires this often in an hour is flapping. */
const mostFires = 3
const flapMs = 60 * minuteMs
/** How long the condition of a flapping alarm must be gone. */
const flappingClearMs = 60 * minuteMs
/** The most notifications that wait for a receiver; of more, the oldest are dropped. */
const mostWaiting = 500

const initial = (nowMs: number): RuleState => ({
  phase: 'ok',
  sinceMs: nowMs,
  clearSinceMs: null,
  absentSinceMs: null,
  value: null,
  firedAtMs: [],
  evaluatedAtMs: nowMs,
})

/** Whether the condition holds; `same` if that cannot be known, `now` if it held long enough already. */
function verdictOf(rule: Rule, before: RuleState, value: number | null, nowMs: number): boolean | 'same' | 'now' {
  if (value !== null) return value >= (before.phase === 'firing' ? rule.clearsBelow : rule.firesAt)
  if (rule.absence.kind === 'quiet') return false
  if (rule.absence.kind === 'same') return 'same'
  const absentMs = nowMs - (before.absentSinceMs ?? nowMs)
  return absentMs >= rule.absence.afterMinutes * minuteMs ? 'now' : 'same'
}

/** While the condition of a flapping alarm comes and goes, the alarm stays. */
function isFlapping({ firedAtMs }: RuleState): boolean {
  const [first, last] = [firedAtMs.at(-mostFires), firedAtMs.at(-1)]
  return first !== undefined && last !== undefined && last - first < flapMs
}

/** The state after a measurement. The phase changes to `firing` or to `ok` at the moment of the notification. */
export function stepRule(
  rule: Rule,
  given: RuleState | undefined,
  { value, nowMs, isHeld }: { readonly value: number | null; readonly nowMs: number; readonly isHeld: boolean },
): RuleState {
  const known = given ?? initial(nowMs)
  const before = {
    ...known,
    value,
    evaluatedAtMs: nowMs,
    absentSinceMs: value === null ? (known.absentSinceMs ?? nowMs) : null,
  }
  const verdict = verdictOf(rule, before, value, nowMs)
  if (before.phase === 'firing') return stepFiring(rule, before, verdict === false, nowMs)
  if (verdict === 'same') return before
  if (verdict === false || isHeld) return before.phase === 'ok' ? before : { ...before, phase: 'ok', sinceMs: nowMs }
  const pendingSinceMs = before.phase === 'pending' ? before.sinceMs : nowMs
  if (verdict === 'now' || nowMs - pendingSinceMs >= rule.afterMinutes * minuteMs)
    return {
      ...before,
      phase: 'firing',
      sinceMs: nowMs,
      clearSinceMs: null,
      firedAtMs: [...before.firedAtMs, nowMs].slice(-mostFires),
    }
  return { ...before, phase: 'pending', sinceMs: pendingSinceMs }
}

function stepFiring(rule: Rule, before: RuleState, isClear: boolean, nowMs: number): RuleState {
  if (!isClear) return { ...before, clearSinceMs: null }
  const clearSinceMs = before.clearSinceMs ?? nowMs
  const neededMs = isFlapping(before) ? flappingClearMs : rule.clearAfterMinutes * minuteMs
  if (nowMs - clearSinceMs < neededMs) return { ...before, clearSinceMs }
  return { ...before, phase: 'ok', sinceMs: nowMs, clearSinceMs: null }
}

type Described = Pick<Rule, 'name' | 'severity' | 'summary' | 'unit' | 'firesAt'>

const goneRule: Described = {
  name: '',
  severity: 'ticket',
  summary: 'This version of the Worker has no such alarm.',
  unit: 'count',
  firesAt: 0,
}

/** @param sinceMs when the alarm fired; part of the id */
export function notificationOf(
  { name, severity, summary, unit, firesAt }: Described,
  kind: Notification['kind'],
  { sinceMs, atMs, value }: Pick<Notification, 'sinceMs' | 'atMs' | 'value'>,
): Notification {
  return {
    id: `alarm_${name}_${sinceMs}_${kind}`,
    kind,
    alarm: name,
    severity,
    summary,
    unit,
    value,
    threshold: firesAt,
    sinceMs,
    atMs,
    isReported: false,
    attempts: 0,
    nextAttemptMs: atMs,
  }
}

function changeOf(rule: Rule, before: RuleState | undefined, after: RuleState): Notification | null {
  const [was, is] = [before?.phase === 'firing', after.phase === 'firing']
  if (was === is) return null
  const sinceMs = is ? after.sinceMs : (before?.sinceMs ?? after.sinceMs)
  return notificationOf(rule, is ? 'fired' : 'resolved', { sinceMs, atMs: after.sinceMs, value: after.value })
}

/** Whether the cause fires, or fired within what the rule measures. */
const stillExplains = (cause: RuleState | undefined, { windowMinutes }: Rule, nowMs: number): boolean =>
  cause?.phase === 'firing' ||
  (cause !== undefined && cause.firedAtMs.length > 0 && nowMs - cause.sinceMs <= windowMinutes * minuteMs)

/** The state of a rule that no version has evaluated for so long is dropped. */
const forgottenMs = 60 * minuteMs

/**
 * Ends the alarms of rules that no longer exist, which would stay open at the receiver. Their states stay for an hour:
 * during a deployment, two versions of the Worker evaluate in turns.
 */
function dropForgotten(states: Record<string, RuleState>, nowMs: number): readonly Notification[] {
  const ended: Notification[] = []
  for (const [name, { evaluatedAtMs, phase, sinceMs }] of Object.entries(states)) {
    if (nowMs - evaluatedAtMs < forgottenMs) continue
    delete states[name]
    if (phase === 'firing')
      ended.push(notificationOf({ ...goneRule, name }, 'resolved', { sinceMs, atMs: nowMs, value: null }))
  }
  return ended
}

/** Evaluates all rules. The result is one version newer. */
export function stepBook(rules: readonly Rule[], book: Book, readings: Readings): Book {
  const { nowMs } = readings
  const states = { ...book.rules }
  const sent: Notification[] = []
  for (const rule of rules) {
    const before = states[rule.name]
    const isHeld = rule.heldBy?.some((cause) => stillExplains(states[cause], rule, nowMs)) === true
    const after = stepRule(rule, before, { value: rule.measure(readings), nowMs, isHeld })
    states[rule.name] = after
    const notification = changeOf(rule, before, after)
    if (notification !== null) sent.push(notification)
  }
  const outbox = [...book.outbox, ...sent, ...dropForgotten(states, nowMs)].slice(-mostWaiting)
  return { ...book, version: book.version + 1, evaluatedAtMs: nowMs, rules: states, outbox }
}
