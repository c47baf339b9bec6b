CREATE TABLE "safety_switches" (
	"name" text PRIMARY KEY NOT NULL,
	"state" text NOT NULL,
	"changed_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"counted_on" date,
	"count" integer DEFAULT 0 NOT NULL,
	"alarmed_on" date,
	CONSTRAINT "safety_switches_state" CHECK (name = 'orphan_removal' and state in ('off', 'report', 'end') or name = 'item_loss' and state in ('armed', 'tripped', 'off'))
);
--> statement-breakpoint
ALTER TABLE "item_products" ADD COLUMN "refusals" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "items" ADD COLUMN "lost_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "items" ADD COLUMN "capabilities" text;--> statement-breakpoint
CREATE INDEX "items_lost" ON "items" USING btree ("lost_at") WHERE lost_at is not null;--> statement-breakpoint
INSERT INTO safety_switches (name, state) VALUES ('orphan_removal', 'end'), ('item_loss', 'armed');
--> statement-breakpoint
ALTER TABLE safety_switches ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY all_rows ON safety_switches TO wn_jobs USING (true);
--> statement-breakpoint
GRANT SELECT, UPDATE ON safety_switches TO wn_jobs;
--> statement-breakpoint
-- A user's sync asks Plaid again for a product that it refused before: the product is `pending` from then on.
GRANT UPDATE (status) ON item_products TO wn_api;
--> statement-breakpoint
-- Products that were absent until now are read again within a week, spread evenly.
UPDATE item_products SET refusals = 3, next_attempt_at = now() + random() * interval '7 days' WHERE status = 'absent';
