-- Three measurements of each of 200 machines: the same numbers on every machine, made once.
CREATE TABLE IF NOT EXISTS demo_machines (
  machine_id bigint NOT NULL,
  temperature double precision NOT NULL,
  vibration double precision NOT NULL,
  pressure double precision NOT NULL,
  hours bigint NOT NULL,
  fault bigint NOT NULL,
  event_timestamp timestamptz NOT NULL,
  created timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (machine_id, event_timestamp)
);
-- A number from 0 to 1 that looks random and always is the same.
CREATE OR REPLACE FUNCTION pg_temp.share(bigint) RETURNS double precision LANGUAGE sql IMMUTABLE AS
  $$ SELECT ('x' || substr(md5($1::text), 1, 7))::bit(28)::int / 268435456.0 $$;
INSERT INTO demo_machines
  (machine_id, temperature, vibration, pressure, hours, fault, event_timestamp)
SELECT id, temperature, vibration, pressure, hours,
  (temperature / 100 + vibration / 8 + noise / 5 > 1.25)::int,
  date_trunc('hour', now()) - make_interval(hours => 2 * (3 - turn)::int)
FROM (
  SELECT id, turn,
    40 + 60 * pg_temp.share(id * 7 + turn) AS temperature,
    8 * pg_temp.share(id * 13 + turn * 5) AS vibration,
    2 + 6 * pg_temp.share(id * 29 + turn * 3) AS pressure,
    (id * 37 % 4000 + turn * 2)::bigint AS hours,
    pg_temp.share(id * 53 + turn) AS noise
  FROM generate_series(1, 200) AS id, generate_series(1, 3) AS turn
) AS made
WHERE NOT EXISTS (SELECT FROM demo_machines);
