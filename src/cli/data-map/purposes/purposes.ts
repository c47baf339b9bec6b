/** Table → column → why it is stored. */
export type Purposes = Readonly<Record<string, Readonly<Record<string, string>>>>
