-- Write findings: one per timer, rule and beginning, never withdrawn. One that is written again has its newest end.
INSERT INTO violation (
    slot, timer_id, rule, from_at, to_at, amount_us, refused, tenant, owner, event_id, policy_revision
)
SELECT *
  FROM unnest(
           $1::integer[], $2::bigint[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bigint[], $7::boolean[],
           $8::text[], $9::text[], $10::uuid[], $11::bigint[]
       )
    -- Written again by another press: the press that began it, and the policy that judged that press, stay.
    ON CONFLICT (slot, timer_id, rule, from_at) DO UPDATE
   SET to_at = excluded.to_at,
       amount_us = excluded.amount_us,
       refused = excluded.refused
    -- A refused press at the same instant changes nothing of a finding that counts.
 WHERE NOT excluded.refused;
