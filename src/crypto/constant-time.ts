// A comparison whose time does not reveal where two values differ. Lengths are not secret: each format fixes them.

/** Whether both contain the same bytes. */
export function equalConstantTime(left: Uint8Array, right: Uint8Array): boolean {
  // crypto.subtle.timingSafeEqual throws on unequal lengths and Node's Web Crypto lacks it.
  if (left.length !== right.length) return false
  let difference = 0
  for (const [index, byte] of left.entries()) difference |= byte ^ (right[index] ?? 0)
  return difference === 0
}
