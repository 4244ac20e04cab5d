-- The roles of the app on a PostgreSQL server (15 or newer) that others run. Run it once as a superuser, connected to the database that
-- the app is to use (encoding UTF8); it can be run again. Then give the login a password with \password ingestion_app, and the app the
-- connection string of that login in ConnectionStrings__Ingestion. A login of another name will do; grant it the three roles likewise.

-- Owns the app's schemas: migrations and the scheduler's tables.
DO $$ BEGIN CREATE ROLE ingestion_owner NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;

-- Runs stages for every tenant, so row-level security does not apply to it.
DO $$ BEGIN CREATE ROLE ingestion_worker NOLOGIN BYPASSRLS; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;

-- Serves pages and the API; row-level security shows it one tenant at a time.
DO $$ BEGIN CREATE ROLE ingestion_web NOLOGIN NOBYPASSRLS; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;

-- The app logs in as this one and takes on one of the three. It inherits none of their rights: a connection that forgot its role can do nothing.
DO $$ BEGIN CREATE ROLE ingestion_app LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
GRANT ingestion_owner, ingestion_worker, ingestion_web TO ingestion_app;

DO $$ BEGIN EXECUTE format('GRANT CREATE, CONNECT, TEMPORARY ON DATABASE %I TO ingestion_owner', current_database()); END $$;

-- Lets the app see transactions of every login that stay open for too long. Nothing else needs it.
GRANT pg_read_all_stats TO ingestion_worker;

-- What search uses.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;
