// A file or folder that does not exist is often an ordinary case. One that exists and cannot be read is an error.

/** For `catch`: null for a file or folder that does not exist. Rethrows any other error. */
export function nullIfMissing(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
  throw error
}
