// The value types of a bank's data.

/** An exact number, as made by `JSON.rawJSON("12.50")`. Stringified as the same text. */
export interface RawNumber {
  readonly rawJSON: string
}

/** A calendar day, `YYYY-MM-DD`, never a JavaScript Date. */
export type Day = string

/** Makes a new id of this kind (`account`, `transaction`, `security`, …) at each call. */
export type Ids = (kind: string) => string

/** Exactly one of the two fields is set. */
export interface Currency {
  iso_currency_code: string | null
  unofficial_currency_code: string | null
}

export type Confidence = 'VERY_HIGH' | 'HIGH' | 'MEDIUM' | 'LOW' | 'UNKNOWN'
