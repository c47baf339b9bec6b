// Prints the result of a load run: the traffic of each phase, the findings with their targets, and the machine.
import type { Machine } from '../bench/result.ts'
import { type Finding, percent, type Traffic } from './traffic.ts'

export interface Report {
  readonly traffic: readonly Traffic[]
  readonly findings: readonly Finding[]
  /** Further lines, such as where the time goes. */
  readonly notes: readonly string[]
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
}

const others = (statuses: Traffic['statuses']): string =>
  Object.entries(statuses)
    .filter(([status]) => !status.startsWith('2'))
    .map(([status, count]) => `${count} × ${status}`)
    .join(', ')

function trafficTable(traffic: readonly Traffic[]): string {
  const head = ['phase', 'requests', 'per second', 'good', 'mean', 'p50', 'p99', 'longest', 'not good']
  const rows = traffic.map((row) => [
    row.name,
    String(row.requests),
    String(row.perSecond),
    `${percent(row.good)} %`,
    ...[row.meanMs, row.p50Ms, row.p99Ms, row.maxMs].map((ms) => `${ms} ms`),
    others(row.statuses),
  ])
  return aligned([head, ...rows])
}

function findingTable(findings: readonly Finding[]): string {
  const rows = findings.map(({ name, value, unit, against, target, ok }) => [
    name,
    `${value} ${unit}`,
    against === undefined ? '' : `${against} ${unit}`,
    target ?? 'none',
    ok === undefined ? '' : ok ? 'yes' : 'NO',
  ])
  return aligned([['measured', 'value', 'against', 'target', 'met'], ...rows])
}

export function reportText({ traffic, findings, notes }: Report, machine: Machine): string {
  const { cpu, cores, memory_gb: memory, platform, node } = machine
  const lines = [...notes, `${cpu}, ${cores} cores, ${memory} GB, ${platform}, Node ${node}`]
  return [trafficTable(traffic), findingTable(findings), lines.map((line) => `${line}\n`).join('')].join('\n')
}

/** @throws Error where a target is missed; a report without any target has measured nothing */
export function refuseMissed({ findings }: Report): void {
  const judged = findings.filter(({ ok }) => ok !== undefined)
  if (judged.length === 0) throw new Error('Nothing was measured.')
  const missed = judged.filter(({ ok }) => ok === false)
  if (missed.length > 0)
    throw new Error(`Missed: ${missed.map(({ name, target }) => `${name} (${target})`).join('; ')}`)
}
