CREATE TABLE "account_balances" (
	"account_id" uuid NOT NULL,
	"day" date NOT NULL,
	"user_id" uuid NOT NULL,
	"current" numeric,
	"available" numeric,
	"credit_limit" numeric,
	"iso_currency_code" text,
	"unofficial_currency_code" text,
	"as_of" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "account_balances_day" PRIMARY KEY("account_id","day")
);
--> statement-breakpoint
CREATE TABLE "accounts" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"item_id" uuid NOT NULL,
	"plaid_account_id" text NOT NULL,
	"persistent_account_id" text,
	"name" text NOT NULL,
	"official_name" text,
	"mask" text,
	"type" text NOT NULL,
	"subtype" text,
	"current_balance" numeric,
	"available_balance" numeric,
	"credit_limit" numeric,
	"iso_currency_code" text,
	"unofficial_currency_code" text,
	"balance_as_of" timestamp (3) with time zone,
	"closed" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "accounts_plaid_account" UNIQUE("item_id","plaid_account_id")
);
--> statement-breakpoint
CREATE TABLE "holdings" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"item_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"security_id" uuid NOT NULL,
	"quantity" numeric NOT NULL,
	"institution_price" numeric NOT NULL,
	"institution_price_as_of" date,
	"institution_value" numeric NOT NULL,
	"cost_basis" numeric,
	"iso_currency_code" text,
	"unofficial_currency_code" text,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "holdings_position" UNIQUE("account_id","security_id")
);
--> statement-breakpoint
CREATE TABLE "investment_transactions" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"item_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"security_id" uuid,
	"plaid_investment_transaction_id" text NOT NULL,
	"date" date NOT NULL,
	"name" text NOT NULL,
	"quantity" numeric NOT NULL,
	"amount" numeric NOT NULL,
	"price" numeric NOT NULL,
	"fees" numeric,
	"type" text NOT NULL,
	"subtype" text NOT NULL,
	"iso_currency_code" text,
	"unofficial_currency_code" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"removed_at" timestamp (3) with time zone,
	CONSTRAINT "investment_transactions_plaid_id" UNIQUE("item_id","plaid_investment_transaction_id")
);
--> statement-breakpoint
CREATE TABLE "securities" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"plaid_security_id" text NOT NULL,
	"name" text,
	"ticker_symbol" text,
	"type" text,
	"is_cash_equivalent" boolean,
	"close_price" numeric,
	"close_price_as_of" date,
	"iso_currency_code" text,
	"unofficial_currency_code" text,
	CONSTRAINT "securities_plaid_security" UNIQUE("user_id","plaid_security_id")
);
--> statement-breakpoint
CREATE TABLE "item_products" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"item_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"product" text NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"cursor" text,
	"dirty_seq" bigint DEFAULT 1 NOT NULL,
	"synced_seq" bigint DEFAULT 0 NOT NULL,
	"lease_owner" uuid,
	"lease_expires_at" timestamp (3) with time zone,
	"next_attempt_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"last_synced_at" timestamp (3) with time zone,
	"last_error" text,
	"history_status" text,
	CONSTRAINT "item_products_product" UNIQUE("item_id","product")
);
--> statement-breakpoint
CREATE TABLE "items" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"plaid_item_id" text NOT NULL,
	"institution_id" text,
	"institution_name" text,
	"access_token_sealed" text NOT NULL,
	"status" text DEFAULT 'initializing' NOT NULL,
	"status_reason" text,
	"new_accounts_available" boolean DEFAULT false NOT NULL,
	"consent_expires_at" timestamp (3) with time zone,
	"disconnect_at" timestamp (3) with time zone,
	"transactions_updated_at" timestamp (3) with time zone,
	"investments_updated_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"removed_at" timestamp (3) with time zone,
	CONSTRAINT "items_plaid_item_id" UNIQUE("plaid_item_id")
);
--> statement-breakpoint
CREATE TABLE "liabilities" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"item_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"details" jsonb NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "liabilities_account" UNIQUE("account_id","kind")
);
--> statement-breakpoint
CREATE TABLE "dead_letters" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"queue" text NOT NULL,
	"message_id" text NOT NULL,
	"item_product_id" uuid,
	"reason" text NOT NULL,
	"payload" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "dead_letters_message" UNIQUE("queue","message_id")
);
--> statement-breakpoint
CREATE TABLE "sync_runs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"item_id" uuid NOT NULL,
	"item_product_id" uuid NOT NULL,
	"product" text NOT NULL,
	"trigger" text NOT NULL,
	"outcome" text NOT NULL,
	"error_code" text,
	"pages" integer DEFAULT 0 NOT NULL,
	"restarts" integer DEFAULT 0 NOT NULL,
	"upserted" integer DEFAULT 0 NOT NULL,
	"removed" integer DEFAULT 0 NOT NULL,
	"plaid_request_ids" text[] NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"finished_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "webhook_events" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"replay_key" text NOT NULL,
	"scheme" text NOT NULL,
	"webhook_type" text NOT NULL,
	"webhook_code" text NOT NULL,
	"plaid_item_id" text,
	"item_id" uuid,
	"user_id" uuid,
	"payload" jsonb NOT NULL,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "webhook_events_replay_key" UNIQUE("replay_key")
);
--> statement-breakpoint
CREATE TABLE "sync_staging" (
	"run_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"removed" boolean NOT NULL,
	"plaid_transaction_id" text NOT NULL,
	"plaid_account_id" text,
	"pending_transaction_id" text,
	"date" date,
	"authorized_date" date,
	"amount" numeric,
	"iso_currency_code" text,
	"unofficial_currency_code" text,
	"name" text,
	"merchant_name" text,
	"merchant_logo_url" text,
	"merchant_website" text,
	"category_primary" text,
	"category_detailed" text,
	"category_confidence" text,
	"pending" boolean,
	"payment_channel" text,
	"staged_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "sync_staging_row" PRIMARY KEY("run_id","seq")
);
--> statement-breakpoint
CREATE TABLE "transactions" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"item_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"plaid_transaction_id" text NOT NULL,
	"pending_transaction_id" text,
	"date" date NOT NULL,
	"authorized_date" date,
	"amount" numeric NOT NULL,
	"iso_currency_code" text,
	"unofficial_currency_code" text,
	"name" text NOT NULL,
	"merchant_name" text,
	"merchant_logo_url" text,
	"merchant_website" text,
	"category_primary" text,
	"category_detailed" text,
	"category_confidence" text,
	"pending" boolean NOT NULL,
	"payment_channel" text,
	"note" text,
	"user_category" text,
	"hidden" boolean DEFAULT false NOT NULL,
	"change_seq" bigint NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"removed_at" timestamp (3) with time zone,
	CONSTRAINT "transactions_plaid_transaction" UNIQUE("item_id","plaid_transaction_id")
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"issuer" text NOT NULL,
	"subject" text NOT NULL,
	"change_seq" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "users_identity" UNIQUE("issuer","subject")
);
--> statement-breakpoint
ALTER TABLE "account_balances" ADD CONSTRAINT "account_balances_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account_balances" ADD CONSTRAINT "account_balances_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_item_id_items_id_fk" FOREIGN KEY ("item_id") REFERENCES "public"."items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "holdings" ADD CONSTRAINT "holdings_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "holdings" ADD CONSTRAINT "holdings_item_id_items_id_fk" FOREIGN KEY ("item_id") REFERENCES "public"."items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "holdings" ADD CONSTRAINT "holdings_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "holdings" ADD CONSTRAINT "holdings_security_id_securities_id_fk" FOREIGN KEY ("security_id") REFERENCES "public"."securities"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "investment_transactions" ADD CONSTRAINT "investment_transactions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "investment_transactions" ADD CONSTRAINT "investment_transactions_item_id_items_id_fk" FOREIGN KEY ("item_id") REFERENCES "public"."items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "investment_transactions" ADD CONSTRAINT "investment_transactions_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "investment_transactions" ADD CONSTRAINT "investment_transactions_security_id_securities_id_fk" FOREIGN KEY ("security_id") REFERENCES "public"."securities"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "securities" ADD CONSTRAINT "securities_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "item_products" ADD CONSTRAINT "item_products_item_id_items_id_fk" FOREIGN KEY ("item_id") REFERENCES "public"."items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "item_products" ADD CONSTRAINT "item_products_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "items" ADD CONSTRAINT "items_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "liabilities" ADD CONSTRAINT "liabilities_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "liabilities" ADD CONSTRAINT "liabilities_item_id_items_id_fk" FOREIGN KEY ("item_id") REFERENCES "public"."items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "liabilities" ADD CONSTRAINT "liabilities_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sync_runs" ADD CONSTRAINT "sync_runs_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sync_runs" ADD CONSTRAINT "sync_runs_item_id_items_id_fk" FOREIGN KEY ("item_id") REFERENCES "public"."items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sync_runs" ADD CONSTRAINT "sync_runs_item_product_id_item_products_id_fk" FOREIGN KEY ("item_product_id") REFERENCES "public"."item_products"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_events" ADD CONSTRAINT "webhook_events_item_id_items_id_fk" FOREIGN KEY ("item_id") REFERENCES "public"."items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_events" ADD CONSTRAINT "webhook_events_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "transactions" ADD CONSTRAINT "transactions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "transactions" ADD CONSTRAINT "transactions_item_id_items_id_fk" FOREIGN KEY ("item_id") REFERENCES "public"."items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "transactions" ADD CONSTRAINT "transactions_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "account_balances_user" ON "account_balances" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "accounts_user" ON "accounts" USING btree ("user_id","created_at","id");--> statement-breakpoint
CREATE INDEX "holdings_user" ON "holdings" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "holdings_item" ON "holdings" USING btree ("item_id");--> statement-breakpoint
CREATE INDEX "investment_transactions_user_date" ON "investment_transactions" USING btree ("user_id","date","id");--> statement-breakpoint
CREATE INDEX "item_products_due" ON "item_products" USING btree ("next_attempt_at") WHERE dirty_seq > synced_seq;--> statement-breakpoint
CREATE INDEX "item_products_stale" ON "item_products" USING btree ("product","last_synced_at");--> statement-breakpoint
CREATE INDEX "item_products_user" ON "item_products" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "items_user" ON "items" USING btree ("user_id","created_at","id");--> statement-breakpoint
CREATE INDEX "liabilities_user" ON "liabilities" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "liabilities_item" ON "liabilities" USING btree ("item_id");--> statement-breakpoint
CREATE INDEX "dead_letters_created" ON "dead_letters" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "sync_runs_user" ON "sync_runs" USING btree ("user_id","started_at","id");--> statement-breakpoint
CREATE INDEX "sync_runs_item" ON "sync_runs" USING btree ("item_id","started_at","id");--> statement-breakpoint
CREATE INDEX "webhook_events_item" ON "webhook_events" USING btree ("plaid_item_id","received_at");--> statement-breakpoint
CREATE INDEX "webhook_events_user" ON "webhook_events" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "transactions_user_date" ON "transactions" USING btree ("user_id","date","id") WHERE removed_at is null;--> statement-breakpoint
CREATE INDEX "transactions_account_date" ON "transactions" USING btree ("account_id","date","id") WHERE removed_at is null;--> statement-breakpoint
CREATE INDEX "transactions_changes" ON "transactions" USING btree ("user_id","change_seq");