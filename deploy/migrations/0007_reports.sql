-- What reports ask for: findings of an owner, of a rule and of a tenant in the order of their beginning, and late days.
CREATE INDEX violation_by_owner ON fold_v1.violation (slot, tenant, owner, from_at, timer_id, rule);
CREATE INDEX violation_by_tenant ON fold_v1.violation (tenant, from_at, timer_id, rule);
CREATE INDEX violation_by_rule ON fold_v1.violation (tenant, rule, from_at, timer_id);

-- Whether the day's time changed after the day was locked.
ALTER TABLE fold_v1.day_total ADD COLUMN changed_after_lock boolean NOT NULL DEFAULT false;
CREATE OR REPLACE VIEW day_total AS SELECT * FROM fold_v1.day_total;
