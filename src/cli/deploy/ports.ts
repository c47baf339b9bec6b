// What a deployment needs from outside, so that tests run all of it without an account.
import type { Cloudflare } from '../lib/cloudflare.ts'
import type { DeployedConfig } from '../lib/deployed-config.ts'
import type { Pending } from './pending.ts'
import type { StateStore } from './state.ts'

/** Requests to one version, and those that failed. */
export interface ErrorRate {
  readonly requests: number
  readonly errors: number
}

/** One source of error rates; null if it knows nothing. */
export interface ErrorRateSource {
  readonly name: string
  readErrorRate: (version: string, since: Date) => Promise<ErrorRate | null>
}

export interface Judgement {
  /** A version is not judged on fewer requests. */
  readonly minRequests: number
  /** The share of errors that is too large, such as 0.01. */
  readonly maxErrorRate: number
  /** How long each step is watched. */
  readonly watchMs: number
  /** How much longer a step waits for requests. */
  readonly extraMs: number
  /** The pause between two looks. */
  readonly everyMs: number
}

/** What a version says about itself. `version` is null if the response does not name one. */
export interface VersionAnswer {
  readonly status: number
  readonly version: string | null
}

export interface DeployPorts {
  readonly config: DeployedConfig
  readonly cloudflare: Cloudflare
  readonly store: StateStore
  readonly judgement: Judgement
  /** Rejects if a check failed. Takes a backup where one is due. */
  readonly preflight: () => Promise<void>
  readonly pending: () => Promise<Pending>
  readonly migrate: () => Promise<void>
  readonly notes: () => Promise<{ tag: string; message: string }>
  /** The cron strings that the code which is deployed has a job for. */
  readonly knownCrons: readonly string[]
  /** The crons that Cloudflare fires now; null if that is unknown. */
  readonly liveCrons: () => Promise<readonly string[] | null>
  /** Asks `/ready` of a version, or of whichever version serves where it is null. */
  readonly ask: (version: string | null) => Promise<VersionAnswer>
  /**
   * Rejects if the smoke test fails, or if another version responds. `override` is the version that the requests name;
   * null for those of users.
   */
  readonly smoke: (version: string, override: string | null) => Promise<void>
  readonly sources: readonly ErrorRateSource[]
  readonly now: () => Date
  /** Throws if the operator interrupted the deployment. */
  readonly throwIfInterrupted: () => void
  /** Rejects if the operator interrupts the deployment. */
  readonly wait: (milliseconds: number) => Promise<void>
  /** Continues during an interruption: for what undoes a deployment. */
  readonly pause: (milliseconds: number) => Promise<void>
  readonly print: (line: string) => void
}

export interface DeployOptions {
  /** Migrations that may remove what older versions used. */
  readonly allowContract: readonly string[]
  /** Sends all traffic at once, which a Durable Object migration needs. */
  readonly atOnce: boolean
}
