-- The rows of one guest that is declared no more: those of every table that says whose a row is, in
-- a column `tenant`. The name of a guest is that of its tenant, as guests.sql got it.
\getenv guest OWNER

BEGIN;
SELECT format('DELETE FROM %I.%I WHERE ''tenant_'' || replace(tenant, ''-'', ''_'') = %L',
              table_schema, table_name, :'guest')
FROM information_schema.columns
JOIN information_schema.tables USING (table_schema, table_name)
WHERE column_name = 'tenant' AND table_type = 'BASE TABLE' \gexec

-- Done once: rows that another tenant of the same name writes later are its own.
SELECT format('COMMENT ON ROLE %I IS %L', :'guest', 'guest of mlops-infra') \gexec
COMMIT;
