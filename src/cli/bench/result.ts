// Formats benchmark results, as a table and as JSON.
import { availableParallelism, cpus, totalmem } from 'node:os'

export interface Result {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What it is compared with, measured in the same run, in the same unit. */
  readonly against: number
  /** `value` / `against`. */
  readonly ratio: number
  /** As a condition: `< 1 ms`. */
  readonly target: string
  readonly ok: boolean
}

export interface BenchmarkOptions {
  /** Transactions of other users in the larger table of `table-size`. */
  readonly rows: number
  /** Items of `scheduling`, and how many hours of a day it simulates. */
  readonly items: number
  readonly hours: number
}

export interface Benchmark {
  /** `say` prints a line of progress. */
  run(say: (line: string) => void, signal: AbortSignal, options: BenchmarkOptions): Promise<Result[]>
}

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memory_gb: number
  readonly platform: string
  readonly node: string
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory_gb: Math.round(totalmem() / 1e9),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2
}

/** Measurements on a shared machine are not more exact than three significant digits. */
export const rounded = (value: number): number => Number(value.toPrecision(3))

function rowOf({ name, value, unit, against, ratio, target, ok }: Result): string[] {
  return [name, `${value} ${unit}`, `${against} ${unit}`, String(ratio), target, ok ? 'yes' : 'NO']
}

/** The results as a table with aligned columns. */
export function tableOf(results: readonly Result[]): string {
  const rows = [['benchmark', 'value', 'against', 'ratio', 'target', 'met'], ...results.map(rowOf)]
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
}
