-- Guests that are declared no more own what they wrote, so they stay; nobody logs in as them again.
\getenv guests GUESTS

SELECT format('ALTER ROLE %I NOLOGIN', rolname)
FROM pg_roles
WHERE rolcanlogin
  AND shobj_description(oid, 'pg_authid') = 'guest of mlops-infra'
  AND rolname <> ALL (string_to_array(:'guests', ' ')) \gexec
