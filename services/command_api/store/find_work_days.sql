-- Find the days of an account or a job, summed over the slots of all its owners, all of one moment.
SELECT day, sum(total_us)::bigint AS total_us, sum(billable_us)::bigint AS billable_us,
       bool_or(changed_after_lock) AS changed_after_lock
  FROM work_total
 WHERE tenant = $1 AND kind = $2 AND about = $3 AND day BETWEEN $4 AND $5
 GROUP BY day
    -- A day whose time was all taken back keeps rows without any.
HAVING sum(total_us) <> 0 OR bool_or(changed_after_lock)
 ORDER BY day;
