-- Who gave a value. Apart from the table of rules, whose foreign keys lock "users" and "accounts": a commit locks those first.
ALTER TABLE "transactions" ADD COLUMN "category_by" uuid;--> statement-breakpoint
ALTER TABLE "transactions" ADD COLUMN "hidden_by" uuid;--> statement-breakpoint
GRANT UPDATE (category_by, hidden_by) ON transactions TO wn_api;
