// How an operator interrupts a deployment.

/**
 * Aborts at the first Ctrl-C or SIGTERM, and ignores every further one, so that nothing ends what undoes the deployment: npm
 * forwards a Ctrl-C which the terminal has also sent to this process.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => controller.abort(new Error(`The deployment was interrupted (${name}).`)))
  return controller.signal
}
