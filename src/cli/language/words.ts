// Words that this project's texts do not use, each with the field's term. docs/glossary.md explains the choice. A word
// that has a meaning in the field gets a narrower pattern; no file is exempt.

export interface WordRule {
  readonly word: RegExp
  readonly suggestion: string
}

/** Always case-insensitive; the first group, or the whole match, is what a report prints. */
export const words: readonly WordRule[] = [
  { word: /\btold\b/i, suggestion: 'sent, reported, listed' },
  { word: /\btells?\b(?! apart)/i, suggestion: 'reports, names, returns' },
  { word: /\b(?:some|any|every)body(?:’s|'s| else)?\b/i, suggestion: 'a user, a client, an attacker' },
  { word: /\bnobody\b/i, suggestion: 'no user, no client' },
  { word: /\bwho(?:m|so)?ever\b/i, suggestion: 'any client, the caller' },
  { word: /\bwhatever\b/i, suggestion: 'for any, for every' },
  { word: /\b(?:goes|go|went|going) on\b/i, suggestion: 'continues' },
  { word: /\bno more\b(?! (?:than|often)\b)/i, suggestion: 'no longer, nothing else' },
  { word: /\bof (?:ours|theirs|yours|its own|their own|our own)\b/i, suggestion: 'our, their, a separate' },
  { word: /\b(?:is|are|has|have) to be \w+/i, suggestion: 'must be, will be' },
  { word: /\bis to (?!be )\w+/i, suggestion: 'must' },
  { word: /(?<!\b(?:MFA|security) )\banswers?\b(?! \d| the questions)/i, suggestion: 'returns, responds; a response' },
  { word: /\boftener\b/i, suggestion: 'more often' },
  { word: /\bby and by\b/i, suggestion: 'eventually' },
  { word: /\bbeside\b/i, suggestion: 'in addition to, next to' },
  { word: /\bkin\b/i, suggestion: 'related items' },
  { word: /\bmend(?:ed|s)?\b/i, suggestion: 'fix' },
  { word: /\blets? (?:in|go of)\b/i, suggestion: 'accepts, releases' },
  { word: /\b(?:let|lets) (?:her|him|it|them|you) in\b/i, suggestion: 'accepts' },
  { word: /\b(?:speaks?|hears?|heard|tells?) of\b/i, suggestion: 'refers to, is notified' },
  { word: /\bcome(?:s)? of\b/i, suggestion: 'result from' },
  { word: /\bbrought along\b/i, suggestion: 'sent with the request' },
  { word: /\b(?:is|are|was) over\b(?! (?:a|the|its|their|\d))/i, suggestion: 'has ended, has expired' },
  { word: /\b(?:two|three|four|six|eight|ten|many|\d+) tries\b/i, suggestion: 'attempts' },
  { word: /(?<!-)\bmails?\b/i, suggestion: 'e-mail' },
  { word: /(?<!finite )\bverbs?\b/i, suggestion: 'use case' },
  { word: /\bdoors?\b/i, suggestion: 'entry point' },
  { word: /\b(?:a|the) lea(?:f|ves)\b/i, suggestion: 'library' },
  {
    word: /\bwoken?\b|\bwak(?:es?|ing)\b(?!-| (?:an?|the) (?:hibernating |Durable )?Object\b)/i,
    suggestion: 'enqueue, trigger',
  },
  { word: /\bthe news\b/i, suggestion: 'the changes' },
  { word: /\bholds for (?:an?|the|\d+) (?:minute|hour|day)s?\b/i, suggestion: 'is valid for' },
]

const beginsWith = (list: string): RegExp => new RegExp(`^(?:${list.replaceAll(' ', '|')})\\b`, 'i')

/** How a title may not begin: it names neither a subject nor a finite verb, so it means nothing alone in a report. */
export const fragment = beginsWith(
  'that which who whose of for and or but also with without in on at by to from under over beyond while where when ' +
    'because if although as until unless after before given than',
)

/** How a title outside of a group may not begin: a report of it would lack the subject. */
export const bareVerb = beginsWith(
  'is has does accepts applies comes completes connects contains counts ends equals fails finds finishes fits ' +
    'follows gives handles keeps leads leaves lets loads logs loses makes measures passes prints reads refuses ' +
    'rejects replaces returns says sees sends shows signs starts stays stops stores takes waits writes',
)
