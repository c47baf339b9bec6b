-- Writes to accounts wait while the index is built; reads do not. Accounts first, as in a commit.
LOCK TABLE accounts, rules IN SHARE ROW EXCLUSIVE MODE;
--> statement-breakpoint
CREATE UNIQUE INDEX "accounts_of_user" ON "accounts" USING btree ("id","user_id");
--> statement-breakpoint
ALTER TABLE "rules" ADD CONSTRAINT "rules_account_owner" FOREIGN KEY ("account_id","user_id") REFERENCES "public"."accounts"("id","user_id") ON DELETE cascade ON UPDATE no action;
