// Opens a zip archive, to compare it with what was written. Knows nothing of the code that writes it.
import { Buffer } from 'node:buffer'
import { crc32, inflateRawSync } from 'node:zlib'

/** Reads an archive by its list of entries, as a program that opens one does. */
export function unzip(bytes: Buffer): Record<string, string> {
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]))
  if (end < 0) throw new Error('The archive has no list of entries.')
  const files: Record<string, string> = {}
  let place = bytes.readUInt32LE(end + 16)
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    if (bytes.readUInt32LE(place) !== 0x0201_4b50) throw new Error('The list of entries is cut off.')
    const [crc, packed, size] = [16, 20, 24].map((offset) => bytes.readUInt32LE(place + offset))
    const name = bytes.toString('utf8', place + 46, place + 46 + bytes.readUInt16LE(place + 28))
    const local = bytes.readUInt32LE(place + 42)
    if (bytes.readUInt32LE(local) !== 0x0403_4b50) throw new Error(`${name} is not where the list says.`)
    const data = local + 30 + bytes.readUInt16LE(local + 26)
    const content = inflateRawSync(bytes.subarray(data, data + Number(packed)))
    if (content.length !== size || crc32(content) !== crc) throw new Error(`${name} differs from its checksum.`)
    files[name] = content.toString('utf8')
    place += 46 + name.length
  }
  return files
}
