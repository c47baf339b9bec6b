// Reports every call to the database and to Plaid, and every encryption and decryption, to the observers of the
// request, message or cron run in which it happens.
import { AsyncLocalStorage } from 'node:async_hooks'
import { AppError } from '../errors.ts'

export type OperationKind = 'database' | 'plaid' | 'crypto'

export interface Operation {
  readonly kind: OperationKind
  /**
   * From the code, never from input: `select accounts`, Plaid's path, `open access_token`. Of few different values, so
   * that it can be a label.
   */
  readonly name: string
  /** Milliseconds since 1970. */
  readonly startedAtMs: number
  /**
   * In milliseconds. On Cloudflare the clock stands still while code runs and advances with I/O, so encryption takes 0
   * there (docs/observability.md).
   */
  readonly durationMs: number
  readonly ok: boolean
  /** The SQLSTATE, Plaid's error code or the name of the error; absent from a success. */
  readonly code?: string
  /** Plaid's id of the request. */
  readonly plaidRequestId?: string
}

/** Called at the end of each operation. */
export type OperationObserver = (operation: Operation) => void

/** How an operation ended, as far as its result or its error shows. */
export type Outcome = Pick<Operation, 'ok' | 'code' | 'plaidRequestId'>

interface Running {
  readonly observers: readonly OperationObserver[]
  readonly causeId: string | null
}
const running = new AsyncLocalStorage<Running>()

/**
 * Runs `work`, and reports its operations to `observers` as well as to the observers around it. Includes operations of
 * promises that it starts and does not await.
 * @param causeId the id of the request or run that caused the work; by default that of the work around it
 */
export function observeOperations<Result>(
  observers: readonly OperationObserver[],
  work: () => Result,
  causeId?: string,
): Result {
  const around = running.getStore()
  return running.run(
    { observers: [...(around?.observers ?? []), ...observers], causeId: causeId ?? around?.causeId ?? null },
    work,
  )
}

/** The id of the request or run that caused what runs now; null outside of both. */
export const currentCauseId = (): string | null => running.getStore()?.causeId ?? null

interface Measured<Value> {
  readonly kind: OperationKind
  readonly name: string
  /** By default, a value is a success and an error a failure. */
  readonly outcomeOf?: (value: Value) => Outcome
  readonly codeOf?: (error: unknown) => string
}

/** Runs one operation and reports it. Without observers it only runs it. */
export async function measured<Value>(
  { kind, name, outcomeOf = () => ({ ok: true }), codeOf = errorCode }: Measured<Value>,
  work: () => Promise<Value>,
): Promise<Value> {
  const observers = running.getStore()?.observers ?? []
  if (observers.length === 0) return await work()
  const startedAtMs = Date.now()
  const started = performance.now()
  const report = (outcome: Outcome): void =>
    notify(observers, { kind, name, startedAtMs, durationMs: performance.now() - started, ...outcome })
  try {
    const value = await work()
    report(outcomeOf(value))
    return value
  } catch (error) {
    report({ ok: false, code: codeOf(error) })
    throw error
  }
}

/** An observer that fails must not make the operation fail. */
function notify(observers: readonly OperationObserver[], operation: Operation): void {
  for (const observe of observers)
    try {
      observe(operation)
    } catch {
      // Only its own counts are incomplete.
    }
}

function errorCode(error: unknown): string {
  if (error instanceof AppError) return error.sqlState ?? error.code
  return error instanceof Error ? error.name : typeof error
}
