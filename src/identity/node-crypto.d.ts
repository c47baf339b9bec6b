// Declares the part of Node's crypto that the Worker uses. Node's own types would add Node's globals to the Worker's
// code.
declare module 'node:crypto' {
  export function scrypt(
    password: Uint8Array,
    salt: Uint8Array,
    keyLength: number,
    options: { readonly N: number; readonly r: number; readonly p: number; readonly maxmem: number },
    callback: (error: Error | null, key: Uint8Array) => void,
  ): void
  export function createHash(algorithm: 'sha256'): {
    update(bytes: Uint8Array): unknown
    digest(encoding: 'hex'): string
  }
}
