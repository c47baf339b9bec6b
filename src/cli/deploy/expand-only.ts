// Whether a migration only expands the schema. The running version of the Worker and the new one use the database at the
// same time, and a rollback brings the older one back: nothing that it uses may be dropped, renamed or tightened.
//
// This reads the text of the SQL. It cannot know what a changed function or a new trigger does, so those are for the
// review; everything that it does not recognize in an ALTER is refused.
import { type Statement, statementsOf } from './sql-statements.ts'

export interface Finding {
  /** The statement, shortened. */
  readonly statement: string
  readonly reason: string
}

/** What the same migrations create: no running version uses it, so it can be changed. */
type Created = ReadonlySet<string>

const name = String.raw`((?:[\w$]+\.)?[\w$]+)`
const alterTable = new RegExp(`^alter table (?:if exists )?(?:only )?${name} ?\\*? (.*)$`)
const objectTypes =
  'table|materialized view|view|function|procedure|aggregate|type|domain|sequence|schema|index|role|policy|trigger'
const creates = new RegExp(
  String.raw`^create (?:or replace )?(?:unique |unlogged |foreign |recursive |constraint )*(${objectTypes})(?: concurrently)?(?: if not exists)? ${name}`,
)

/** `public.items` and `items` are one object. */
const bare = (object: string): string => object.replace(/^public\./, '')

function createdBy(statements: readonly Statement[]): Created {
  return new Set(
    statements.flatMap(({ text }) => {
      const [, kind, object] = creates.exec(text) ?? []
      // A replaced function may be one that the running version calls.
      if (object === undefined || / or replace /.test(text.slice(0, 20))) return []
      return [bare(object), ...(kind === 'schema' ? [`${object}.`] : [])]
    }),
  )
}

const addedColumn = /^add column (?:if not exists )?(\S+)/

/** The columns, as `table.column`, that the same migrations add. */
function columnsAddedBy(statements: readonly Statement[]): Created {
  return new Set(
    statements.flatMap(({ text }) => {
      const [, table, actions] = alterTable.exec(text) ?? []
      return actionsOf(actions ?? '').flatMap((action) => {
        const column = addedColumn.exec(action)?.[1]
        return table === undefined || column === undefined ? [] : [`${bare(table)}.${column}`]
      })
    }),
  )
}

/** A foreign key of columns that are new: older writes leave them empty. */
function isOfNewColumns(table: string, action: string, created: Created): boolean {
  const columns = /^add constraint \S+ foreign key ?\(([^)]*)\)/.exec(action)?.[1]
  return columns !== undefined && actionsOf(columns).every((column) => created.has(`${bare(table)}.${column}`))
}

function isNew(object: string, created: Created): boolean {
  return created.has(bare(object)) || created.has(`${object.split('.')[0] ?? ''}.`)
}

const looseners: readonly RegExp[] = [
  /^alter (?:column )?\S+ drop not null$/,
  /^alter (?:column )?\S+ set default\b/,
  /^alter (?:column )?\S+ set statistics \d+$/,
  /^alter (?:column )?\S+ set storage \w+$/,
  /^(?:re)?set \(/,
  /^alter constraint \S+(?: (?:not )?deferrable| initially (?:deferred|immediate))*$/,
  /^validate constraint\b/,
  /^set logged$/,
  /^owner to\b/,
  /^replica identity\b/,
  /^cluster on\b/,
  /^enable trigger\b/,
]

/** Why an added column can break an older version; null if it cannot. */
function columnReason(action: string): string | null {
  if (/\b(?:unique|primary key)\b/.test(action)) return 'adds a unique column, which older inserts can violate'
  const hasDefault = /\bdefault\b|\bgenerated\b|\b(?:big|small)?serial\b/.test(action)
  if (/\bnot null\b/.test(action) && !hasDefault) return 'adds a column that older inserts leave out'
  if (/\breferences\b/.test(action) && hasDefault) return 'adds a reference with a default, which can be refused'
  return null
}

/** Why one action of ALTER TABLE can break an older version. */
function actionReason(action: string): string | null {
  if (
    /^add (?:column )?(?:if not exists )?/.test(action) &&
    !/^add (?:constraint|check|unique|primary|foreign|exclude)\b/.test(action)
  )
    return columnReason(action)
  if (/^add constraint \S+ unique using index\b/.test(action)) return 'adds a unique constraint'
  if (/^add\b/.test(action)) return 'adds a constraint, which older writes can violate'
  if (/^drop constraint\b/.test(action)) return null
  if (/^drop\b/.test(action)) return 'drops a column'
  if (/^rename\b/.test(action)) return 'renames'
  if (/\bset not null$/.test(action)) return 'requires a value that older inserts leave out'
  if (/^alter (?:column )?\S+ (?:set data )?type\b/.test(action)) return 'changes the type of a column'
  if (/\bdrop default$/.test(action)) return 'drops a default that older inserts need'
  if (/^(?:enable|force) row level security$/.test(action)) return 'hides the rows of a table in use'
  return looseners.some((known) => known.test(action)) ? null : 'changes a table in a way that this check does not know'
}

/** Splits at the commas that no bracket encloses. */
function actionsOf(text: string): string[] {
  const actions: string[] = []
  let depth = 0
  let action = ''
  for (const character of text) {
    depth += character === '(' || character === '[' ? 1 : character === ')' || character === ']' ? -1 : 0
    if (character === ',' && depth === 0) {
      actions.push(action.trim())
      action = ''
    } else action += character
  }
  return [...actions, action.trim()].filter((part) => part !== '')
}

function alterReason(text: string, created: Created): string | null {
  const [, table, actions] = alterTable.exec(text) ?? []
  if (table !== undefined && actions !== undefined) {
    if (isNew(table, created)) return null
    const older = actionsOf(actions).filter((action) => !isOfNewColumns(table, action, created))
    return older.map(actionReason).find((reason) => reason !== null) ?? null
  }
  const object = new RegExp(`^alter (?:${objectTypes}) (?:if exists )?${name}`).exec(text)?.[1]
  if (object !== undefined && isNew(object, created)) return null
  if (/^alter type \S+ add value\b/.test(text)) return null
  if (/^alter role \S+ (?:in database \S+ )?(?:re)?set\b/.test(text)) return null
  if (/^alter role \S+ (?:no(?:superuser|createdb|createrole|bypassrls|replication) ?)+$/.test(text)) return null
  if (/^alter default privileges .*\bgrant\b/.test(text)) return null
  if (/^alter (?:function|procedure|view|sequence) .* owner to\b/.test(text)) return null
  return 'changes an object in a way that this check does not know'
}

/** The objects that REVOKE names; null where it names all of a schema. */
function revokedObjects(text: string): string[] | null {
  const named = /^revoke .*? on (?:table |function |procedure |sequence |schema |type )?(.*?) from\b/.exec(text)?.[1]
  if (named === undefined || /^all\b/.test(named)) return null
  return actionsOf(named).map((object) => object.replace(/\(.*$/, '').trim())
}

function dropReason(text: string, created: Created): string | null {
  if (/^drop index\b/.test(text)) return null
  const dropped = new RegExp(
    `^drop (?:${objectTypes}) (?:concurrently )?(?:if exists )?(.*?)(?: cascade| restrict)?$`,
  ).exec(text)?.[1]
  // `DROP POLICY p ON t` and `DROP TRIGGER t ON t`: the table decides.
  const objects = actionsOf(/ on (\S+)$/.exec(dropped ?? '')?.[1] ?? dropped ?? '').map((object) =>
    object.replace(/\(.*$/, '').trim(),
  )
  return objects.length > 0 && objects.every((object) => isNew(object, created))
    ? null
    : 'drops what older versions can use'
}

/** An index with the column `id` is of values that are different already: it is the primary key wherever it exists. */
const hasPrimaryKey = (text: string): boolean =>
  actionsOf(/\bon (?:only )?\S+ (?:using \w+ ?)?\(([^()]*)\)/.exec(text)?.[1] ?? '').includes('id')

function createReason(text: string, created: Created): string | null {
  const on = new RegExp(String.raw`\bon (?:only )?${name}`).exec(text)?.[1] ?? ''
  if (isNew(on, created)) return null
  if (/^create unique index\b/.test(text) && !hasPrimaryKey(text))
    return 'allows a value once, which older writes can violate'
  if (/^create policy\b.* as restrictive\b/.test(text)) return 'hides or refuses rows'
  if (/^create constraint trigger\b/.test(text)) return 'can refuse older writes'
  if (/^create (?:or replace )?rule\b/.test(text)) return 'changes what older statements do'
  return null
}

function statementReason(text: string, created: Created): string | null {
  if (text.startsWith('drop ')) return dropReason(text, created)
  if (text.startsWith('alter ')) return alterReason(text, created)
  if (text.startsWith('create ')) return createReason(text, created)
  if (/^truncate\b/.test(text)) return 'deletes all rows of a table'
  if (/^(?:with\b.*\b)?delete from\b/.test(text)) return 'deletes rows'
  if (/^revoke\b/.test(text)) {
    const objects = revokedObjects(text)
    return objects?.every((object) => isNew(object, created)) === true ? null : 'takes a right away'
  }
  return null
}

/** What a DO block can run: each statement in its code, wherever that begins. */
const hidden =
  /\b(?:drop (?!index\b|not null\b)(?:table|column|schema|type|view|materialized|function|procedure|sequence|role|policy|trigger|domain|default|owned)|rename (?:to|column|constraint)|rename \S+ to|truncate|revoke|delete from|set not null|alter column \S+ type|set data type|create unique index|as restrictive|add constraint)\b/

function innerReason(inner: readonly string[]): string | null {
  for (const code of inner) {
    const text = code.replaceAll(/\s+/g, ' ').toLowerCase()
    const found =
      hidden.exec(
        statementsOf(text)
          .map((statement) => statement.text)
          .join(' ; '),
      )?.[0] ?? hidden.exec(text)?.[0]
    if (found !== undefined) return `runs code that contains “${found}”`
  }
  return null
}

/** What in the SQL of pending migrations, together and in order, older versions of the Worker may not survive. */
export function contractions(sql: string): Finding[] {
  const statements = statementsOf(sql)
  const created = new Set([...createdBy(statements), ...columnsAddedBy(statements)])
  return statements.flatMap(({ text, inner }) => {
    const reason = statementReason(text, created) ?? innerReason(inner)
    return reason === null ? [] : [{ statement: text.slice(0, 120), reason }]
  })
}
