// Comparison whose time tells nothing of where two values differ. Lengths are not secret here: they are fixed by each
// format and checked before.

/** Whether both hold the same bytes; takes as long for a difference in the first byte as in the last. */
export function equalConstantTime(left: Uint8Array, right: Uint8Array): boolean {
  // crypto.subtle.timingSafeEqual throws on unequal lengths and Node's Web Crypto lacks it.
  if (left.length !== right.length) return false
  let difference = 0
  for (const [index, byte] of left.entries()) difference |= byte ^ (right[index] ?? 0)
  return difference === 0
}
