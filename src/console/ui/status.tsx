// The state of something in a word, by form and colour.
import type { Tone } from '../format/words.ts'

export function Status({ tone, children }: { readonly tone: Tone; readonly children: string }) {
  return <span className={`status ${tone}`}>{children}</span>
}
