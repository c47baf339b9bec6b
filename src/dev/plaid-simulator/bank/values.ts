// The values that the shapes of a bank are made of.

/** An exact number, made by `JSON.rawJSON("12.50")` and written into JSON as that very token. */
export interface RawNumber {
  readonly rawJSON: string
}

/** A calendar day, `YYYY-MM-DD`, never a JavaScript Date. */
export type Day = string

/** Makes an id of this kind (`account`, `transaction`, `security`, …): a new one at each call. */
export type Ids = (kind: string) => string

/** Exactly one of the two is set. */
export interface Currency {
  iso_currency_code: string | null
  unofficial_currency_code: string | null
}

export type Confidence = 'VERY_HIGH' | 'HIGH' | 'MEDIUM' | 'LOW' | 'UNKNOWN'
