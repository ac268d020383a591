-- Guests that are declared no more own what they wrote, so they stay; nobody logs in as them again.
-- What is told at the end are those whose rows go too: role and database.
\getenv guests GUESTS

SELECT format('ALTER ROLE %I NOLOGIN', rolname)
FROM pg_roles
WHERE rolcanlogin
  AND shobj_description(oid, 'pg_authid') LIKE 'guest of mlops-infra%'
  AND rolname <> ALL (string_to_array(:'guests', ' ')) \gexec

-- a session that is open goes on writing
SELECT count(pg_terminate_backend(pid)) > 0 AS ended
FROM pg_stat_activity JOIN pg_roles ON rolname = usename
WHERE NOT rolcanlogin
  AND shobj_description(pg_roles.oid, 'pg_authid') LIKE 'guest of mlops-infra%' \gset

SELECT rolname, substring(shobj_description(oid, 'pg_authid') FROM '^guest of mlops-infra: purge (.+)$')
FROM pg_roles
WHERE NOT rolcanlogin
  AND shobj_description(oid, 'pg_authid') LIKE 'guest of mlops-infra: purge %';
