// The export of all data, read as it arrives. A stream that breaks off is no export: each format has an end that proves it.
import type { Client } from '@wealthnavigator/client'

export const formats = {
  jsonl: { name: 'JSON lines', ending: 'jsonl' },
  csv: { name: 'CSV files in a zip archive', ending: 'zip' },
} as const
export type Format = keyof typeof formats

const tailLength = 65_536

/** The end-of-central-directory record of a zip archive without a comment is its last 22 bytes. */
function isWholeZip(tail: Uint8Array): boolean {
  const end = tail.subarray(-22)
  return end.length === 22 && [0x50, 0x4b, 0x05, 0x06].every((byte, at) => end[at] === byte)
}

function isWholeText(tail: Uint8Array): boolean {
  const line = new TextDecoder().decode(tail).trimEnd().split('\n').at(-1) ?? ''
  try {
    const end: unknown = JSON.parse(line)
    return typeof end === 'object' && end !== null && 'complete' in end && end.complete === true
  } catch {
    return false
  }
}

const isWhole: Readonly<Record<Format, (tail: Uint8Array) => boolean>> = { jsonl: isWholeText, csv: isWholeZip }

/** The last bytes of the chunks. */
async function tailOf(parts: readonly Blob[]): Promise<Uint8Array> {
  const blob = new Blob([...parts])
  return new Uint8Array(await blob.slice(Math.max(0, blob.size - tailLength)).arrayBuffer())
}

interface DownloadOptions {
  readonly signal: AbortSignal
  readonly onProgress: (bytes: number) => void
}

/** @throws Error when the stream ended before the export did */
export async function readExport(client: Client, format: Format, options: DownloadOptions): Promise<Blob> {
  const { signal, onProgress } = options
  const response = await client.response('get', '/api/v1/privacy/export', { params: { query: { format } }, signal })
  const reader = response.body?.getReader()
  const parts: Blob[] = []
  let bytes = 0
  for (let read = await reader?.read(); read !== undefined && !read.done; read = await reader?.read()) {
    bytes += read.value.length
    parts.push(new Blob([read.value]))
    onProgress(bytes)
  }
  if (!isWhole[format](await tailOf(parts))) throw new Error('The export broke off before its end.')
  return new Blob(parts, { type: response.headers.get('content-type') ?? '' })
}

/** Hands a file to the browser, which keeps it where downloads are kept. */
export function saveFile(content: Blob, name: string): void {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
