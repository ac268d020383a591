-- In one declared database: what everybody may do by PostgreSQL's own defaults, and nobody needs. Large
-- objects belong to no table, so no policy of a table's owner counts for them.
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', oid::regprocedure)
FROM pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace
  AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'lo_open', 'lo_put') \gexec
REVOKE SELECT ON pg_largeobject_metadata FROM PUBLIC;
