-- "rules_account_owner" guarantees the same. Apart from it, because this lock also keeps readers out; it takes milliseconds.
LOCK TABLE accounts, rules IN ACCESS EXCLUSIVE MODE;
--> statement-breakpoint
ALTER TABLE "rules" DROP CONSTRAINT "rules_account_id_accounts_id_fk";
