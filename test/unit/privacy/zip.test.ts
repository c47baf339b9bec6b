import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../src/crypto/crc32.ts'
import { streamOf, zip, type ZipEntry } from '../../../src/privacy/zip.ts'
import { unzip } from '../../support/unzip.ts'

const at = new Date('2026-03-02T09:30:10Z')
const utf8 = (text: string) => new TextEncoder().encode(text)

// oxlint-disable-next-line typescript/require-await -- chunks that are there already
async function* chunksOf(...texts: readonly string[]) {
  for (const text of texts) yield utf8(text)
}

// oxlint-disable-next-line typescript/require-await -- entries that are there already
async function* entriesOf(...entries: readonly ZipEntry[]) {
  yield* entries
}

async function bytesOf(...entries: readonly ZipEntry[]): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of zip(entriesOf(...entries), at)) parts.push(part)
  return Buffer.concat(parts)
}

describe('an archive', () => {
  it('has every entry, with its size and checksum', async () => {
    const long = 'a line that repeats\n'.repeat(50_000)
    const bytes = await bytesOf(
      { name: 'long.csv', chunks: chunksOf(long.slice(0, 7), long.slice(7)) },
      { name: 'empty.csv', chunks: chunksOf() },
      { name: 'manifest.json', chunks: chunksOf('{"complete":', 'true}') },
    )
    expect(unzip(bytes)).toEqual({ 'long.csv': long, 'empty.csv': '', 'manifest.json': '{"complete":true}' })
    expect(bytes.length).toBeLessThan(long.length / 50)
  })

  it('has no list of entries where its end is missing', async () => {
    const bytes = await bytesOf({ name: 'a.csv', chunks: chunksOf('a') })
    expect(() => unzip(bytes.subarray(0, -22))).toThrow('no list of entries')
  })

  it('fails when an entry fails', async () => {
    // oxlint-disable-next-line typescript/require-await -- fails after its first chunk
    async function* failing() {
      yield utf8('a')
      throw new Error('no more pages')
    }
    await expect(bytesOf({ name: 'a.csv', chunks: failing() })).rejects.toThrow('no more pages')
  })
})

it('the checksum of an archive is that of zlib', () => {
  expect(crc32(utf8('123456789'))).toBe(0xcbf4_3926)
  expect(crc32(utf8('56789'), crc32(utf8('1234')))).toBe(0xcbf4_3926)
})

describe('a stream', () => {
  it('takes a chunk from the generator when one is wanted, and ends it when it is cancelled', async () => {
    let made = 0
    let ended = false
    // oxlint-disable-next-line typescript/require-await -- an endless source
    async function* endless() {
      try {
        for (;;) yield utf8(String(made++))
      } finally {
        ended = true
      }
    }
    const reader = streamOf(endless()).getReader()
    await reader.read()
    await reader.read()
    expect(made).toBeLessThanOrEqual(3)
    await reader.cancel()
    expect(ended).toBe(true)
  })
})
