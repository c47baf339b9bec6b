// What the parts of a local stack's start share.
import type { LocalVariables } from '../lib/local-variables.ts'
import type { Print } from '../lib/output.ts'
import type { Ports } from '../lib/ports.ts'

export interface StackOptions {
  environment: NodeJS.ProcessEnv
  /** The Worker's variables; replace those of the environment and of `.dev.vars`. */
  variables?: LocalVariables
  /** The built Worker to run; by default its source, which is watched. */
  bundle?: string
  /** Builds the console's pages and serves them. */
  console?: boolean
  print: Print
  /** Aborted to interrupt a start. */
  signal: AbortSignal
  /** Called when a part ends unexpectedly. The caller stops the rest. */
  onFailure: (message: string) => void
}

export interface Part {
  stop(): Promise<void>
}

export interface Start extends StackOptions {
  ports: Ports
  /** Registers how to undo a step. The last registered runs first. */
  undo: (name: string, part: Part) => void
}
