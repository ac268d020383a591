-- Tenants connect as roles of their own (tenant_<name>, '-' written as '_') and see their own rows
-- alone. PUBLIC is whoever may connect to this database: the owner, whom no policy binds, and them.
GRANT USAGE ON SCHEMA lifecycle TO PUBLIC;
GRANT SELECT ON prediction TO PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE
  ON batch_run, batch_score, drift_result, reference_data, trigger_event, trigger_state TO PUBLIC;

CREATE FUNCTION is_own(tenant text) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN current_user = 'tenant_' || replace(tenant, '-', '_');

ALTER TABLE prediction ENABLE ROW LEVEL SECURITY;
ALTER TABLE batch_score ENABLE ROW LEVEL SECURITY;
ALTER TABLE trigger_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE reference_data ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON prediction USING (is_own(tenant));
CREATE POLICY own_rows ON batch_score USING (is_own(tenant)) WITH CHECK (is_own(tenant));
CREATE POLICY own_rows ON trigger_event USING (is_own(tenant)) WITH CHECK (is_own(tenant));
CREATE POLICY own_rows ON reference_data USING (is_own(tenant)) WITH CHECK (is_own(tenant));
ALTER TABLE batch_run ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON batch_run USING (is_own(tenant)) WITH CHECK (is_own(tenant));
ALTER TABLE drift_result ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON drift_result USING (is_own(tenant)) WITH CHECK (is_own(tenant));
ALTER TABLE trigger_state ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON trigger_state USING (is_own(tenant)) WITH CHECK (is_own(tenant));
