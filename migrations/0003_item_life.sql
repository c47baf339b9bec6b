CREATE TABLE "holding_days" (
	"account_id" uuid NOT NULL,
	"security_id" uuid NOT NULL,
	"day" date NOT NULL,
	"user_id" uuid NOT NULL,
	"quantity" numeric NOT NULL,
	"institution_price" numeric NOT NULL,
	"institution_value" numeric NOT NULL,
	"cost_basis" numeric,
	"iso_currency_code" text,
	"unofficial_currency_code" text,
	CONSTRAINT "holding_days_position" PRIMARY KEY("account_id","day","security_id")
);
--> statement-breakpoint
CREATE TABLE "link_exchanges" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"public_token_digest" text NOT NULL,
	"state" text DEFAULT 'started' NOT NULL,
	"allow_duplicate" boolean NOT NULL,
	"plaid_item_id" text,
	"access_token_sealed" text,
	"item_id" uuid,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "link_exchanges_public_token" UNIQUE("public_token_digest")
);
--> statement-breakpoint
CREATE TABLE "link_sessions" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"token_digest" text NOT NULL,
	"token_sealed" text,
	"item_id" uuid,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"check_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	CONSTRAINT "link_sessions_token" UNIQUE("token_digest")
);
--> statement-breakpoint
CREATE TABLE "plaid_removals" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"plaid_item_id" text NOT NULL,
	"item_id" uuid,
	"access_token_sealed" text,
	"reason" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"last_error" text,
	CONSTRAINT "plaid_removals_plaid_item" UNIQUE("plaid_item_id")
);
--> statement-breakpoint
CREATE TABLE "plaid_usage" (
	"day" date NOT NULL,
	"endpoint" text NOT NULL,
	"outcome" text NOT NULL,
	"slot" smallint NOT NULL,
	"calls" bigint NOT NULL,
	CONSTRAINT "plaid_usage_counter" PRIMARY KEY("day","endpoint","outcome","slot")
);
--> statement-breakpoint
CREATE TABLE "recurring_streams" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"item_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"plaid_stream_id" text NOT NULL,
	"direction" text NOT NULL,
	"description" text NOT NULL,
	"merchant_name" text,
	"category_primary" text,
	"category_detailed" text,
	"first_date" date NOT NULL,
	"last_date" date NOT NULL,
	"predicted_next_date" date,
	"frequency" text NOT NULL,
	"average_amount" numeric,
	"last_amount" numeric,
	"iso_currency_code" text,
	"unofficial_currency_code" text,
	"is_active" boolean NOT NULL,
	"status" text NOT NULL,
	"plaid_transaction_ids" text[] NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "recurring_streams_plaid_stream" UNIQUE("item_id","plaid_stream_id")
);
--> statement-breakpoint
CREATE TABLE "transaction_tombstones" (
	"user_id" uuid NOT NULL,
	"change_seq" bigint NOT NULL,
	"transaction_id" uuid NOT NULL,
	CONSTRAINT "transaction_tombstones_change" PRIMARY KEY("user_id","change_seq")
);
--> statement-breakpoint
DROP INDEX "dead_letters_created";--> statement-breakpoint
ALTER TABLE "accounts" ADD COLUMN "revoked_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "accounts" ADD COLUMN "link_epoch" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "investment_transactions" ADD COLUMN "link_epoch" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "items" ADD COLUMN "purge_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "items" ADD COLUMN "link_epoch" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "items" ADD COLUMN "rotation_started_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "items" ADD COLUMN "missed_webhooks" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "items" ADD COLUMN "missed_webhook_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "replayed_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "replays" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "transactions" ADD COLUMN "link_epoch" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "plaid_user_id" text;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "plaid_items_checked_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "holding_days" ADD CONSTRAINT "holding_days_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "holding_days" ADD CONSTRAINT "holding_days_security_id_securities_id_fk" FOREIGN KEY ("security_id") REFERENCES "public"."securities"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "holding_days" ADD CONSTRAINT "holding_days_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "link_exchanges" ADD CONSTRAINT "link_exchanges_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "link_sessions" ADD CONSTRAINT "link_sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "plaid_removals" ADD CONSTRAINT "plaid_removals_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recurring_streams" ADD CONSTRAINT "recurring_streams_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recurring_streams" ADD CONSTRAINT "recurring_streams_item_id_items_id_fk" FOREIGN KEY ("item_id") REFERENCES "public"."items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recurring_streams" ADD CONSTRAINT "recurring_streams_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "transaction_tombstones" ADD CONSTRAINT "transaction_tombstones_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "holding_days_user" ON "holding_days" USING btree ("user_id","day");--> statement-breakpoint
CREATE INDEX "link_exchanges_user" ON "link_exchanges" USING btree ("user_id","state");--> statement-breakpoint
CREATE INDEX "link_exchanges_due" ON "link_exchanges" USING btree ("next_attempt_at") WHERE state in ('started', 'exchanged');--> statement-breakpoint
CREATE INDEX "link_exchanges_plaid_item" ON "link_exchanges" USING btree ("plaid_item_id");--> statement-breakpoint
CREATE INDEX "link_sessions_user" ON "link_sessions" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "link_sessions_check" ON "link_sessions" USING btree ("check_at") WHERE check_at is not null;--> statement-breakpoint
CREATE INDEX "plaid_removals_user" ON "plaid_removals" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "plaid_removals_due" ON "plaid_removals" USING btree ("next_attempt_at");--> statement-breakpoint
CREATE INDEX "recurring_streams_user" ON "recurring_streams" USING btree ("user_id","last_date","id");--> statement-breakpoint
ALTER TABLE "items" ADD CONSTRAINT "items_owner" UNIQUE("id","user_id");--> statement-breakpoint
ALTER TABLE "item_products" ADD CONSTRAINT "item_products_owner" FOREIGN KEY ("item_id","user_id") REFERENCES "public"."items"("id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "items_purge" ON "items" USING btree ("purge_at") WHERE purge_at is not null;--> statement-breakpoint
CREATE INDEX "items_rotation" ON "items" USING btree ("rotation_started_at") WHERE rotation_started_at is not null;--> statement-breakpoint
CREATE INDEX "sync_runs_started" ON "sync_runs" USING btree ("started_at","id");--> statement-breakpoint
CREATE INDEX "webhook_events_received" ON "webhook_events" USING btree ("received_at","id");--> statement-breakpoint
CREATE INDEX "users_plaid_items_checked" ON "users" USING btree ("plaid_items_checked_at") WHERE plaid_user_id is not null;--> statement-breakpoint
CREATE INDEX "dead_letters_created" ON "dead_letters" USING btree ("created_at","id");
