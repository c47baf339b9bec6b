// Reads HTTP bodies without holding more than a given number of bytes.

type Body = ReadableStream<Uint8Array> | null

/**
 * Calls `take` with each chunk, and stops after the chunk that exceeds `maxBytes`. Returns whether the body ended within
 * `maxBytes`. Cancels what is left unless `keepOpen`.
 */
export async function readChunks(
  body: Body,
  maxBytes: number,
  take: (chunk: Uint8Array) => void,
  { keepOpen = false } = {},
): Promise<boolean> {
  let received = 0
  for await (const chunk of body?.values({ preventCancel: keepOpen }) ?? []) {
    take(chunk)
    received += chunk.length
    if (received > maxBytes) return false
  }
  return true
}

/** The body as UTF-8 text; null for a body of more than `maxBytes`, whose rest is not read. */
export async function readText(body: Body, maxBytes: number): Promise<string | null> {
  const decoder = new TextDecoder()
  let text = ''
  const isWhole = await readChunks(body, maxBytes, (chunk) => {
    text += decoder.decode(chunk, { stream: true })
  })
  return isWhole ? text + decoder.decode() : null
}
