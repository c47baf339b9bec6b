// What all commands share: --help, one sentence for a failure, and the exit codes 0 done, 1 failed, 2 wrong arguments.
// Prints a stack trace only with DEBUG.

const misuseCode = 'MISUSED'
const misuseCodes = new Set([
  misuseCode,
  'ERR_PARSE_ARGS_UNKNOWN_OPTION',
  'ERR_PARSE_ARGS_INVALID_OPTION_VALUE',
  'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL',
])

/** An error for wrong arguments: printed with a hint at --help, exit code 2. */
export function misuse(message: string): Error {
  return Object.assign(new Error(message), { code: misuseCode })
}

function isMisuse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && misuseCodes.has(error.code)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof AggregateError) return error.errors.map(describe).join('; ')
  return process.env['DEBUG'] ? (error.stack ?? error.message) : error.message
}

/** Runs a command with the process's arguments and sets its exit code. A command without arguments ignores them. */
export async function runCommand(help: string, main: (args: string[]) => Promise<void>): Promise<void> {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${help}\n`)
    return
  }
  try {
    await main(args)
  } catch (error) {
    const misused = isMisuse(error)
    process.stderr.write(`${describe(error)}${misused ? '\nTry --help.' : ''}\n`)
    process.exitCode = misused ? 2 : 1
  }
}
