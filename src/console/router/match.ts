// Patterns of addresses: `/accounts/:id`.

function decoded(step: string): string | null {
  try {
    return decodeURIComponent(step)
  } catch {
    return null
  }
}

/** The parameters of a path, or null if the pattern does not match. */
export function matchPath(pattern: string, pathname: string): Record<string, string> | null {
  const [expected, steps] = [pattern, pathname].map((path) => path.split('/').filter((step) => step !== ''))
  if (expected === undefined || steps === undefined || expected.length !== steps.length) return null
  const params: Record<string, string> = {}
  for (const [index, step] of expected.entries()) {
    const value = decoded(steps[index] ?? '')
    if (value === null) return null
    if (step.startsWith(':')) params[step.slice(1)] = value
    else if (step !== value) return null
  }
  return params
}
