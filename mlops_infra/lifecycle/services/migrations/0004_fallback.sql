-- The champion before answers what the champion fails on.
ALTER TABLE prediction DROP CONSTRAINT prediction_role_check;
ALTER TABLE prediction ADD CONSTRAINT prediction_role_check
  CHECK (role IN ('champion', 'challenger', 'shadow', 'fallback'));
