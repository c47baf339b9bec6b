ALTER TABLE "items" ADD COLUMN "access_token_at" timestamp (3) with time zone DEFAULT now() NOT NULL;
