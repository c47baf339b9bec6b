// Which SQL a deployment runs while an older version of the Worker serves users.
import { describe, expect, it } from 'vitest'
import { contractions } from '../../../../src/cli/deploy/expand-only.ts'
import { statementsOf } from '../../../../src/cli/deploy/sql-statements.ts'

const refused = [
  'DROP TABLE accounts',
  'drop table if exists public."accounts" cascade;',
  'ALTER TABLE items DROP COLUMN status',
  'ALTER TABLE items DROP status',
  'ALTER TABLE ONLY public.items DROP COLUMN IF EXISTS status CASCADE',
  'ALTER TABLE items ADD COLUMN a text, DROP COLUMN b',
  'ALTER TABLE items RENAME TO bank_items',
  'ALTER TABLE items RENAME COLUMN status TO state',
  'ALTER TABLE items RENAME status TO state',
  'ALTER TABLE items ALTER COLUMN status SET NOT NULL',
  'ALTER TABLE items ALTER status SET NOT NULL',
  'ALTER TABLE items ALTER COLUMN amount TYPE bigint USING amount::bigint',
  'ALTER TABLE items ALTER COLUMN amount SET DATA TYPE bigint',
  'ALTER TABLE items ALTER COLUMN status DROP DEFAULT',
  'ALTER TABLE items ADD COLUMN owner uuid NOT NULL',
  'ALTER TABLE items ADD owner uuid not null',
  "ALTER TABLE items ADD COLUMN slug text UNIQUE DEFAULT ''",
  'ALTER TABLE items ADD CONSTRAINT positive CHECK (amount > 0)',
  'ALTER TABLE items ADD CONSTRAINT positive CHECK (amount > 0) NOT VALID',
  'ALTER TABLE items ADD CHECK (amount > 0)',
  'ALTER TABLE items ADD UNIQUE (user_id, name)',
  'ALTER TABLE items ADD CONSTRAINT one UNIQUE USING INDEX one_index',
  'ALTER TABLE items ADD CONSTRAINT of_user FOREIGN KEY (user_id) REFERENCES users (id)',
  'ALTER TABLE items SET SCHEMA archive',
  'ALTER TABLE items SET UNLOGGED',
  'ALTER TABLE items DETACH PARTITION items_2020',
  'ALTER TABLE items ENABLE ROW LEVEL SECURITY',
  'ALTER TABLE items FORCE ROW LEVEL SECURITY',
  'ALTER TABLE items DISABLE TRIGGER ALL',
  "ALTER TYPE state RENAME VALUE 'a' TO 'b'",
  'ALTER FUNCTION app.user_id() RENAME TO who',
  'ALTER POLICY mine ON items USING (false)',
  'ALTER VIEW totals RENAME TO sums',
  'ALTER ROLE wn_api NOLOGIN',
  'ALTER ROLE wn_api NOINHERIT',
  'DROP FUNCTION identity.register(text, text)',
  'DROP VIEW totals',
  'DROP TYPE state',
  'DROP SCHEMA identity CASCADE',
  'DROP POLICY mine ON items',
  'DROP TRIGGER touch ON items',
  'DROP SEQUENCE numbers',
  'DROP ROLE wn_api',
  'DROP OWNED BY wn_api',
  'CREATE UNIQUE INDEX one ON items (name)',
  'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS one ON public.items USING btree (name)',
  'CREATE UNIQUE INDEX one ON items (lower(id), user_id)',
  'CREATE UNIQUE INDEX one ON items (item_id, user_id) WHERE id IS NOT NULL',
  'CREATE POLICY only ON items AS RESTRICTIVE USING (false)',
  'CREATE RULE quiet AS ON INSERT TO items DO INSTEAD NOTHING',
  'CREATE CONSTRAINT TRIGGER strict AFTER INSERT ON items EXECUTE FUNCTION refuse()',
  'REVOKE INSERT ON items FROM wn_api',
  'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM wn_api',
  'REVOKE wn_jobs FROM wn_jobs_a',
  'ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC',
  'TRUNCATE sync_staging',
  'DELETE FROM items WHERE removed',
  'WITH old AS (SELECT id FROM items) DELETE FROM items USING old WHERE items.id = old.id',
  '-- harmless\n/* a /* nested */ comment */ DROP TABLE items',
  "SELECT '; -- ';\nDROP TABLE items",
  "SELECT e'\\'; DROP TABLE kept; '; DROP TABLE items",
  'SELECT $tag$ ; $tag$; DROP TABLE items',
  'DO $$ BEGIN ALTER TABLE items DROP COLUMN status; END $$',
  "DO $$ BEGIN EXECUTE 'DROP TABLE ' || quote_ident('items'); END $$",
  'DO LANGUAGE plpgsql $body$ BEGIN IF true THEN ALTER TABLE items ALTER COLUMN status SET NOT NULL; END IF; END $body$',
]

const allowed = [
  'CREATE TABLE t (id uuid PRIMARY KEY, a text NOT NULL UNIQUE)',
  'CREATE TABLE t (id int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE UNIQUE INDEX u ON t (id)',
  'CREATE TABLE "public"."t" (id int); ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0); REVOKE ALL ON t FROM wn_api',
  'ALTER TABLE items ADD COLUMN note text',
  "ALTER TABLE items ADD COLUMN kind text DEFAULT 'bank' NOT NULL",
  'ALTER TABLE items ADD COLUMN IF NOT EXISTS seen timestamptz NOT NULL DEFAULT now()',
  'ALTER TABLE items ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY NOT NULL',
  'ALTER TABLE items ADD COLUMN a numeric(10, 2), ADD COLUMN b text',
  'ALTER TABLE items ADD COLUMN other uuid; ALTER TABLE items ADD CONSTRAINT fk FOREIGN KEY ("other") REFERENCES users (id)',
  'ALTER TABLE items ALTER COLUMN status DROP NOT NULL',
  "ALTER TABLE items ALTER COLUMN status SET DEFAULT 'x'",
  'ALTER TABLE items SET (autovacuum_vacuum_scale_factor = 0.02)',
  'ALTER TABLE items DROP CONSTRAINT positive',
  'ALTER TABLE items VALIDATE CONSTRAINT positive',
  "ALTER TYPE state ADD VALUE 'c'",
  "ALTER ROLE wn_api SET statement_timeout = '10s'",
  'CREATE INDEX CONCURRENTLY by_name ON items (name)',
  'DROP INDEX by_name',
  'CREATE UNIQUE INDEX "owner" ON "items" USING btree ("id","user_id")',
  'CREATE UNIQUE INDEX owner ON items (user_id, id)',
  'CREATE OR REPLACE FUNCTION app.f() RETURNS int LANGUAGE sql AS $$ DELETE FROM items; SELECT 1 $$',
  'CREATE FUNCTION app.g(text) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$; REVOKE ALL ON FUNCTION app.g(text) FROM PUBLIC; DROP FUNCTION app.g(text)',
  'CREATE SCHEMA later; CREATE TABLE later.t (id int); REVOKE ALL ON later.t FROM PUBLIC',
  'CREATE POLICY mine ON items USING (user_id = app.user_id())',
  'CREATE VIEW totals AS SELECT 1',
  "COMMENT ON TABLE items IS 'DROP TABLE items'",
  "INSERT INTO notes VALUES ('it''s; DROP TABLE items')",
  'SELECT app.let_backup_read()',
  "UPDATE items SET kind = 'bank' WHERE kind IS NULL",
  'GRANT SELECT ON items TO wn_api',
  'DO $$ BEGIN ALTER ROLE wn_api NOBYPASSRLS; EXCEPTION WHEN others THEN NULL; END $$',
  '-- DROP TABLE items',
]

describe('a migration of a deployment', () => {
  it.each(refused)('is refused where it drops, renames or tightens: %s', (sql) => {
    expect(contractions(sql)).not.toEqual([])
  })

  it.each(allowed)('may expand: %s', (sql) => {
    expect(contractions(sql)).toEqual([])
  })

  it('names the statement and the reason', () => {
    expect(contractions('CREATE TABLE a (id int);\nALTER TABLE "Items"   DROP COLUMN "status";')).toEqual([
      { statement: 'alter table items drop column status', reason: 'drops a column' },
    ])
  })

  it('takes a function of an older release for one in use, also where it is replaced before it is dropped', () => {
    const sql = 'CREATE OR REPLACE FUNCTION app.f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$; DROP FUNCTION app.f()'
    expect(contractions(sql)).toHaveLength(1)
  })
})

describe('the reader of SQL', () => {
  it.each([
    ["a; b -- c; d\n; 'e;' f", ['a', 'b', "'' f"]],
    ['a $x$ ; $$ ; $x$ b; c', ["a '' b", 'c']],
    ['a$b$c; d', ['a$b$c', 'd']],
    ["a 'b\\'; c", ["a ''", 'c']],
    ['"a;b" c', ['a;b c']],
    ["unfinished 'text; more", ["unfinished '' text", 'more']],
  ])('splits %j into %j', (sql, statements) => {
    expect(statementsOf(sql).map(({ text }) => text)).toEqual(statements)
  })
})
