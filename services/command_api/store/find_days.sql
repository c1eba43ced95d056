-- Find an owner's days, with the intervals that lie on them, the owner's own zone and where the owner's partition
-- stands, all of one moment. A local day begins and ends within a day of its date in UTC.
-- An interval that began on these days and ended three days after them, or later, is longer than three days: there are
-- few of those, and they have an index of their own. So intervals of later days are not read.
SELECT p.body ->> 'zone' AS zone, c.kpart, c.next_offset, d.days, d.totals_us, d.billables_us, d.changed,
       i.starts, i.ends, i.zones
  FROM deployment AS x
  JOIN checkpoint AS c ON c.kpart = $1 % x.partitions
  LEFT JOIN owner_fact AS p
    ON (p.slot, p.tenant, p.owner, p.kind, p.about) = ($1, $2, $3, 'profile', '')
 CROSS JOIN LATERAL (
       SELECT array_agg(day ORDER BY day) AS days,
              array_agg(total_us ORDER BY day) AS totals_us,
              array_agg(billable_us ORDER BY day) AS billables_us,
              array_agg(changed_after_lock ORDER BY day) AS changed
         FROM day_total
        WHERE slot = $1 AND tenant = $2 AND owner = $3 AND day BETWEEN $4 AND $5
           -- A day whose time was all taken back keeps a row without any.
           AND (total_us <> 0 OR changed_after_lock)
       ) AS d
 CROSS JOIN LATERAL (
       SELECT array_agg(start_at) AS starts, array_agg(end_at) AS ends, array_agg(zone) AS zones
         FROM (
              (SELECT start_at, end_at, zone
                 FROM "interval"
                WHERE slot = $1 AND tenant = $2 AND owner = $3
                  AND end_at > ($4::date - 1)::timestamp AT TIME ZONE 'UTC'
                  AND end_at <= ($5::date + 5)::timestamp AT TIME ZONE 'UTC'
                  AND start_at < ($5::date + 2)::timestamp AT TIME ZONE 'UTC'
                ORDER BY end_at)
                UNION ALL
              (SELECT start_at, end_at, zone
                 FROM "interval"
                WHERE slot = $1 AND tenant = $2 AND owner = $3
                  AND end_at > ($5::date + 5)::timestamp AT TIME ZONE 'UTC'
                  AND start_at < ($5::date + 2)::timestamp AT TIME ZONE 'UTC'
                  -- This says nothing new, and names the index of long intervals, which is in this order.
                  AND end_at - start_at > interval '3 days'
                ORDER BY end_at, start_at)
              ) AS near
       ) AS i;
