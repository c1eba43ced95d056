-- What is due by a moment ($5), oldest first: of each partition a page of rows, after the one that is given for it.
SELECT due.kpart, due.due_at, due.tenant, due.owner
  FROM unnest($1::integer[], $2::timestamptz[], $3::text[], $4::text[]) AS asked (kpart, due_at, tenant, owner)
 CROSS JOIN LATERAL (
       SELECT d.kpart, d.due_at, d.tenant, d.owner
         FROM deadline d
        WHERE d.kpart = asked.kpart
          AND d.due_at <= $5
          AND d.due_at > '-infinity'
          AND (d.due_at, d.tenant, d.owner) > (asked.due_at, asked.tenant, asked.owner)
        ORDER BY d.due_at, d.tenant, d.owner
        LIMIT $6
       ) due
 ORDER BY due.kpart, due.due_at, due.tenant, due.owner;
