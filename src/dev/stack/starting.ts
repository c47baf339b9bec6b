// What a start of the local stack hands from part to part.
import type { LocalVariables } from '../lib/local-variables.ts'
import type { Print } from '../lib/output.ts'
import type { Ports } from '../lib/ports.ts'

export interface StackOptions {
  environment: NodeJS.ProcessEnv
  /** The Worker's variables, instead of those of the environment and of `.dev.vars`. */
  variables?: LocalVariables
  /** The built Worker to run; its source, watched, unless given. */
  bundle?: string
  print: Print
  /** Aborted to interrupt a start. */
  signal: AbortSignal
  /** Told when a part ends without having been asked to. The caller stops the rest. */
  onFailure: (message: string) => void
}

export interface Part {
  stop(): Promise<void>
}

export interface Start extends StackOptions {
  ports: Ports
  /** Registers what undoes a step; the last registered runs first. */
  undo: (name: string, part: Part) => void
}
