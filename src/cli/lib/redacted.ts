// Removes secrets from text that a command prints: messages of a driver, of a child process or of a service can quote them.

const shortestSecret = 6

/** Removes Plaid's tokens, bearer tokens and the passwords in database URLs. */
export function redacted(text: string): string {
  return text
    .replaceAll(/\b(access|public|link)-(sandbox|development|production)-[\w-]+/g, '$1-$2-[redacted]')
    .replaceAll(/(postgres(?:ql)?:\/\/[^:@/\s]*):[^@\s]*@/g, '$1:[redacted]@')
    .replaceAll(/\b(Bearer)\s+[\w.~+/=-]+/gi, '$1 [redacted]')
}

/** The same, and also removes these values wherever they stand, as they are and as they are written in a URL. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const values = secrets
    .filter((secret) => secret.length >= shortestSecret)
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .toSorted((one, other) => other.length - one.length)
  return (text) => values.reduce((left, secret) => left.replaceAll(secret, '[redacted]'), redacted(text))
}
