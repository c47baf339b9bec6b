import { crc32 as referenceCrc, inflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { crc32, streamOf, zip, type ZipEntry } from '../../../src/privacy/zip.ts'

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

/** Reads an archive by its list of entries, as a program that opens one does. */
function unzip(bytes: Buffer): Record<string, string> {
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]))
  if (end < 0) throw new Error('The archive has no list of entries.')
  const files: Record<string, string> = {}
  let place = bytes.readUInt32LE(end + 16)
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    expect(bytes.readUInt32LE(place)).toBe(0x0201_4b50)
    const [crc, packed, size] = [16, 20, 24].map((offset) => bytes.readUInt32LE(place + offset))
    const name = bytes.toString('utf8', place + 46, place + 46 + bytes.readUInt16LE(place + 28))
    const local = bytes.readUInt32LE(place + 42)
    expect(bytes.readUInt32LE(local)).toBe(0x0403_4b50)
    const data = local + 30 + bytes.readUInt16LE(local + 26)
    const content = inflateRawSync(bytes.subarray(data, data + Number(packed)))
    expect([content.length, referenceCrc(content)]).toEqual([size, crc])
    files[name] = content.toString('utf8')
    place += 46 + name.length
  }
  return files
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

  it('without its end has no list of entries', async () => {
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

it('the checksum is that of zlib', () => {
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
