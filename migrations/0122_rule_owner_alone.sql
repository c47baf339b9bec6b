-- "rules_account_owner" guarantees the same. Apart from it, because this lock also keeps readers out. The work takes
-- milliseconds, but the lock waits for every running read, and new reads wait behind it. So it gives up after two
-- seconds, and `deploy` fails. Run it again: it continues with this migration.
SET LOCAL lock_timeout = '2s';
--> statement-breakpoint
LOCK TABLE accounts, rules IN ACCESS EXCLUSIVE MODE;
--> statement-breakpoint
ALTER TABLE "rules" DROP CONSTRAINT "rules_account_id_accounts_id_fk";
