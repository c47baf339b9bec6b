CREATE TABLE "unmatched_webhooks" (
	"day" date NOT NULL,
	"webhook_type" text NOT NULL,
	"count" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "unmatched_webhooks_counter" PRIMARY KEY("day","webhook_type")
);
--> statement-breakpoint
CREATE TABLE "webhook_keys" (
	"kid" text PRIMARY KEY NOT NULL,
	"jwk" jsonb NOT NULL,
	"fetched_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE webhook_keys ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE unmatched_webhooks ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY all_rows ON webhook_keys TO wn_jobs USING (true);
--> statement-breakpoint
CREATE POLICY all_rows ON unmatched_webhooks TO wn_jobs USING (true);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_keys TO wn_jobs;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON unmatched_webhooks TO wn_jobs;
