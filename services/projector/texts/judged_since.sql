-- The outcomes since the last search, a share ($1) of each partition: where the share ends, and the erasures in it.
SELECT parts.kpart, max(o.source_offset) + 1 AS next_offset,
       array_agg(o.body) FILTER (WHERE o.body LIKE '%"event_type":"owner.texts\_erased.v1"%') AS erasures
  FROM deployment AS d
 CROSS JOIN generate_series(0, d.partitions - 1) AS parts (kpart)
  LEFT JOIN erasure_position AS p ON p.kpart = parts.kpart
 CROSS JOIN LATERAL (
       SELECT source_offset, body
         FROM outcome
        WHERE kpart = parts.kpart AND source_offset >= coalesce(p.next_offset, 0)
        ORDER BY source_offset
        LIMIT $1
       ) AS o
 GROUP BY parts.kpart;
