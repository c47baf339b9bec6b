import { type OperationTexts, sample } from './text.ts'

const content = {
  contains: 'example coffee',
  min_amount: null,
  max_amount: '20',
  account_id: null,
  user_category: 'Coffee',
  hidden: false,
}
const rule = { id: sample.row, ...content, created_at: sample.time }
const id = { id: 'The id of the rule.' }

/** The texts of rules. */
export const ruleTexts: OperationTexts = {
  listRules: {
    description: 'Returns all rules of the user in their order.',
    responses: { 200: 'The rules.' },
    example: { response: { data: [rule] } },
  },
  createRule: {
    description:
      'Creates a rule after all others. From then on, each sync applies the rules to new transactions: of the ' +
      'rules whose conditions all match, the first one with a category gives the category, and one that ' +
      'hides, hides. Stored transactions change only by `POST /rules/apply`. A value that the user set is ' +
      'never changed. A user can have 100 rules.',
    body:
      'The conditions, at least one, and the actions, at least one. `contains` is plain text in the name or the ' +
      'merchant; letter case and the encoding of accents do not matter.',
    responses: { 201: 'The rule.' },
    example: { request: { contains: 'example coffee', max_amount: '20', user_category: 'Coffee' }, response: rule },
  },
  getRule: {
    description: 'Returns one rule.',
    parameters: id,
    responses: { 200: 'The rule.' },
    example: { response: rule },
  },
  replaceRule: {
    description:
      'Replaces the conditions and the actions of a rule; its place stays. Values that it gave stay until `POST /rules/apply`.',
    parameters: id,
    body: 'The whole rule. An absent field is null, or false.',
    responses: { 200: 'The rule.' },
    example: {
      request: { contains: 'example coffee', user_category: 'Coffee' },
      response: { ...rule, max_amount: null },
    },
  },
  deleteRule: {
    description: 'Deletes a rule. Values that it gave stay until `POST /rules/apply`, which takes them back.',
    parameters: id,
    responses: { 204: 'The rule is deleted.' },
  },
  orderRules: {
    description: 'Sets the order of the rules. Refused unless the ids are those of all rules, each once.',
    body: 'The ids of all rules in their new order.',
    responses: { 200: 'The rules in their order.' },
    example: { request: { ids: [sample.row] }, response: { data: [rule] } },
  },
  previewRule: {
    description:
      'Shows which stored transactions a rule would change if it were saved and all rules were applied. Changes nothing.',
    body: 'The rule, and in `replaces` the id of the stored rule whose place it takes; without it, the rule is the last one.',
    responses: { 200: 'How many transactions match, and the newest 50 that would change.' },
    example: {
      request: { contains: 'example coffee', user_category: 'Coffee' },
      response: {
        checked: 1200,
        matched: 14,
        kept: 2,
        changed: 1,
        data: [
          {
            id: sample.transaction,
            date: '2026-03-01',
            name: 'Coffee',
            user_category: null,
            hidden: false,
            new_user_category: 'Coffee',
            new_hidden: false,
          },
        ],
      },
    },
  },
  applyRules: {
    description:
      'Applies the rules to the stored transactions, the newest first, 5,000 in a step. Values of earlier ' +
      'rules are computed again: those of deleted rules are taken back. Repeat with `cursor` until ' +
      '`next_cursor` is null. A step can be repeated without effect.',
    body: 'The place of the step; empty for the first one.',
    responses: { 200: 'What the step changed.' },
    example: { request: {}, response: { checked: 5000, changed: 31, next_cursor: 'WyJydWxlcyIsWyIyMDI1LTA0LTAxIiwi' } },
  },
}
