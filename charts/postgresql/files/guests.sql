-- As in databases.sql: no password reaches the server's log.
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
\getenv guest OWNER
\getenv password OWNER_PASSWORD
\getenv database DATABASE

SELECT format('CREATE ROLE %I', :'guest')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'guest') \gexec

-- The limit: one guest may not take all connections of the server (`settings.max_connections`).
SELECT format('ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS '
              'CONNECTION LIMIT 20 PASSWORD %L', :'guest', :'password') \gexec

-- How databases.sh knows them again when they are declared no more, and what it does then: by that
-- time the declaration is gone.
\getenv on_removal ON_REMOVAL
SELECT format('COMMENT ON ROLE %I IS %L', :'guest',
              CASE :'on_removal' WHEN 'purge' THEN 'guest of mlops-infra: purge ' || :'database'
                                 ELSE 'guest of mlops-infra' END) \gexec

-- Nothing of what other roles may do.
SELECT format('REVOKE %I FROM %I', held.rolname, :'guest')
FROM pg_auth_members
JOIN pg_roles AS held ON held.oid = roleid
JOIN pg_roles AS guest ON guest.oid = member
WHERE guest.rolname = :'guest' \gexec

-- The way in and no more: what a guest may do there is the owner's to say.
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', :'database', :'guest') \gexec
