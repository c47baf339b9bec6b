// Writes a zip archive as a stream (PKWARE's APPNOTE 6.3.10), with the platform's deflate: at any time memory holds one
// chunk of one entry. Sizes and checksums follow each entry, since they are not known before. The list of entries comes
// last, so an archive that was cut off does not open.
import { crc32 } from '../crypto/crc32.ts'
import { concat, utf8 } from '../crypto/encoding.ts'

export interface ZipEntry {
  /** In ASCII. */
  readonly name: string
  readonly chunks: AsyncIterable<Uint8Array<ArrayBuffer>> | Iterable<Uint8Array<ArrayBuffer>>
}

/** Without the 64-bit extensions. */
const largestSize = 0xffff_ffff
const version = 20
/** Sizes follow the data · names are UTF-8. */
const flags = 0x0808
const deflated = 8

type Field = readonly [bytes: 2 | 4, value: number]

/** Little-endian. */
function record(fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [bytes]) => sum + bytes, 0)))
  let offset = 0
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(offset, value, true)
    else view.setUint32(offset, value, true)
    offset += bytes
  }
  return new Uint8Array(view.buffer)
}

/** Time and day in the format of MS-DOS: steps of two seconds, from 1980 on. */
function dosTime(at: Date): Field[] {
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1)
  const day = ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate()
  return [
    [2, time],
    [2, day],
  ]
}

/** What is known of an entry before its data. */
const head = (at: Date): Field[] => [[2, version], [2, flags], [2, deflated], ...dosTime(at)]

interface Measured {
  crc: number
  size: number
}

async function* measured(chunks: ZipEntry['chunks'], found: Measured): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const chunk of chunks) {
    found.crc = crc32(chunk, found.crc)
    found.size += chunk.length
    yield chunk
  }
}

/** A stream that asks for the next chunk when the one before was taken, and ends the generator when it is cancelled. */
export function streamOf(chunks: AsyncGenerator<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await chunks.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
    async cancel() {
      await chunks.return(undefined)
    },
  })
}

async function* deflate(chunks: AsyncGenerator<Uint8Array<ArrayBuffer>>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = streamOf(chunks).pipeThrough(new CompressionStream('deflate-raw')).getReader()
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield new Uint8Array(next.value)
  } finally {
    await reader.cancel()
  }
}

/**
 * The bytes of an archive.
 * @throws RangeError for an entry or an archive of 4 GiB or more
 */
export async function* zip(entries: AsyncIterable<ZipEntry>, at: Date): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const directory: Uint8Array<ArrayBuffer>[] = []
  let offset = 0
  for await (const { name, chunks } of entries) {
    const start = offset
    const nameBytes = utf8(name)
    const local = concat(
      record([[4, 0x0403_4b50], ...head(at), [4, 0], [4, 0], [4, 0], [2, nameBytes.length], [2, 0]]),
      nameBytes,
    )
    yield local
    offset += local.length
    const found: Measured = { crc: 0, size: 0 }
    let packed = 0
    for await (const chunk of deflate(measured(chunks, found))) {
      packed += chunk.length
      yield chunk
    }
    offset += packed
    const sizes: Field[] = [
      [4, found.crc],
      [4, packed],
      [4, found.size],
    ]
    if (offset > largestSize || found.size > largestSize) throw new RangeError('the archive exceeds 4 GiB')
    const descriptor = record([[4, 0x0807_4b50], ...sizes])
    yield descriptor
    offset += descriptor.length
    directory.push(
      concat(
        record([
          [4, 0x0201_4b50],
          [2, version],
          ...head(at),
          ...sizes,
          [2, nameBytes.length],
          [2, 0],
          [2, 0],
          [2, 0],
          [2, 0],
          [4, 0],
          [4, start],
        ]),
        nameBytes,
      ),
    )
  }
  const list = concat(...directory)
  const count = directory.length
  yield concat(
    list,
    record([
      [4, 0x0605_4b50],
      [2, 0],
      [2, 0],
      [2, count],
      [2, count],
      [4, list.length],
      [4, offset],
      [2, 0],
    ]),
  )
}
