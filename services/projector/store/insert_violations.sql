-- Findings are history: one per timer, rule and beginning, never withdrawn.
INSERT INTO violation (
    slot, timer_id, rule, from_at, to_at, amount_us, refused, tenant, owner, event_id, policy_revision
)
SELECT *
  FROM unnest(
           $1::integer[], $2::bigint[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bigint[], $7::boolean[],
           $8::text[], $9::text[], $10::uuid[], $11::bigint[]
       )
    ON CONFLICT (slot, timer_id, rule, from_at) DO NOTHING;
