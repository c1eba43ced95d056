-- Read all that a batch touches and the caches lack, in one row: verdicts by event id, and owners' sheets.
-- Each table is read by one index, whatever its statistics say: a session plans this once, perhaps while tables are empty
-- or no timer runs, and keeps the plan for a day. So each lookup is a query of its own (LIMIT, OFFSET 0), for the values of
-- one row. Where several indexes would do, its key is one row (BETWEEN), or it is sorted as one index is, because a
-- session of ours never sorts what an index has in order.
-- An owner is wanted by name, or by one of their timers; `since` is how far back their closed intervals matter.
-- What is known of local days is read from $15 on, and from two days before the owner's first interval that runs.
-- A timer whose last interval ended without a press is read like one that runs, because that end may be taken back, and
-- a late press may move what was found about it: those that ended after `since` are read with their owner.
-- Jobs are wanted by name ($17 to $20), or by a timer that is touched: their time, and their estimates as facts.
-- A press of long ago ($10 to $14) needs one interval only: of those that it overlaps, the one that begins first.
WITH wanted_timer AS (
    SELECT * FROM unnest($3::integer[], $4::bigint[], $5::timestamptz[]) AS w (slot, id, since)
), wanted_owner AS (
    SELECT slot, tenant, owner, min(since) AS since
      FROM (
            SELECT * FROM unnest($6::integer[], $7::text[], $8::text[], $9::timestamptz[]) AS w (slot, tenant, owner, since)
             UNION ALL
            SELECT t.slot, t.tenant, t.owner, w.since
              FROM wanted_timer w
             CROSS JOIN LATERAL (
                   SELECT t.slot, t.tenant, t.owner
                     FROM timer t
                    WHERE (t.slot, t.id) BETWEEN (w.slot, w.id) AND (w.slot, w.id)
                   LIMIT 1
                   ) t
           ) named
     GROUP BY slot, tenant, owner
), ended AS (
    SELECT i.*
      FROM wanted_owner o
     CROSS JOIN LATERAL (
           SELECT i.*
             FROM "interval" i
            WHERE i.slot = o.slot AND i.tenant = o.tenant AND i.owner = o.owner AND i.end_at > o.since
            ORDER BY i.end_at
           OFFSET 0
           ) i
), touched AS (
    SELECT t.*
      FROM wanted_timer w
     CROSS JOIN LATERAL (
           SELECT * FROM timer t WHERE (t.slot, t.id) BETWEEN (w.slot, w.id) AND (w.slot, w.id) LIMIT 1
           ) t
     UNION
    SELECT t.*
      FROM ended i
     CROSS JOIN LATERAL (
           SELECT * FROM timer t WHERE (t.slot, t.id) BETWEEN (i.slot, i.timer_id) AND (i.slot, i.timer_id) LIMIT 1
           ) t
     WHERE (t.provisional ->> 'source_offset')::bigint = t.source_offset
     UNION
    SELECT t.*
      FROM wanted_owner o
     CROSS JOIN LATERAL (
           SELECT *
             FROM timer t
            WHERE t.slot = o.slot AND t.tenant = o.tenant AND t.owner = o.owner
              AND t.state BETWEEN 'RUNNING' AND 'RUNNING'
            ORDER BY t.state
           OFFSET 0
           ) t
), last AS (
    SELECT t.slot, t.id, t.tenant, t.owner, i.seq, i.start_at, i.end_at, i.zone, i.logged_at,
           i.end_at IS NULL AS runs, (t.provisional ->> 'source_offset')::bigint = t.source_offset AS provisional
      FROM touched t
     CROSS JOIN LATERAL (
           SELECT seq, start_at, end_at, zone, coalesce(logged_at, start_at) AS logged_at
             FROM "interval" i
            WHERE i.slot = t.slot AND i.timer_id = t.id
            ORDER BY seq DESC
            LIMIT 1
           ) i
), known AS (
    SELECT o.slot, o.tenant, o.owner, o.since,
           least($15::date, (min(l.start_at) FILTER (WHERE l.runs OR l.provisional))::date - 2) AS days_since
      FROM wanted_owner o
      LEFT JOIN last l ON l.slot = o.slot AND l.tenant = o.tenant AND l.owner = o.owner
     GROUP BY o.slot, o.tenant, o.owner, o.since
), wanted_job AS (
    SELECT * FROM unnest($17::integer[], $18::text[], $19::text[], $20::text[]) AS w (slot, tenant, owner, job_id)
     UNION
    SELECT slot, tenant, owner, job_id FROM touched WHERE job_id IS NOT NULL
), wanted_fact AS (
    SELECT f.tenant, f.owner, f.kind, f.about, f.body, f.known_at
      FROM known k
     CROSS JOIN LATERAL (
           SELECT *
             FROM owner_fact f
            WHERE f.slot = k.slot AND f.tenant = k.tenant AND f.owner = k.owner AND f.kind IN ('leave', 'attendance')
              AND f.about >= (k.days_since - 1)::text
           OFFSET 0
           ) f
     UNION ALL
    SELECT f.tenant, f.owner, f.kind, f.about, f.body, f.known_at
      FROM wanted_job w
     CROSS JOIN LATERAL (
           SELECT *
             FROM owner_fact f
            WHERE f.slot = w.slot AND f.tenant = w.tenant AND f.owner = w.owner
              AND f.kind = 'estimate' AND f.about = w.job_id
           OFFSET 0
           ) f
)
SELECT (SELECT json_agg(json_build_object(
                   'tenant', tenant, 'owner', owner, 'since', since, 'days_since', days_since)) FROM known) AS owners,
       (SELECT json_agg(json_build_object(
                   'tenant', t.tenant, 'id', t.id, 'owner', t.owner, 'account_id', t.account_id, 'job_id', t.job_id,
                   'project_id', t.project_id, 'billable', t.billable, 'work_date', t.work_date, 'state', t.state,
                   'started_at', t.started_at, 'stopped_at', t.stopped_at, 'total_us', t.total_us,
                   'last_at', t.last_at, 'flags', t.flags, 'reference', t.reference, 'intervals', last.seq,
                   'last', CASE WHEN last.runs OR last.provisional
                                THEN json_build_object(
                                         'seq', last.seq, 'start', last.start_at, 'zone', last.zone,
                                         'logged_at', last.logged_at) END,
                   'end', CASE WHEN last.provisional AND NOT last.runs
                               THEN json_build_object('at', last.end_at, 'days', t.provisional -> 'days') END))
          FROM touched t
          JOIN last ON last.slot = t.slot AND last.id = t.id) AS timers,
       (SELECT json_agg(json_build_object(
                   'timer_id', v.timer_id, 'rule', v.rule, 'from', v.from_at, 'to', v.to_at) ORDER BY v.from_at, v.rule)
          FROM last
         CROSS JOIN LATERAL (
               SELECT *
                 FROM violation v
                WHERE v.slot = last.slot AND v.timer_id = last.id AND v.rule = ANY ($16::text[])
                  AND v.from_at >= last.start_at AND NOT v.refused
                ORDER BY v.rule, v.from_at
               OFFSET 0
               ) v
         WHERE last.runs OR last.provisional) AS found,
       (SELECT json_agg(json_build_object(
                   'tenant', d.tenant, 'owner', d.owner, 'day', d.day, 'total_us', d.total_us,
                   'billable_us', d.billable_us))
          FROM known k
         CROSS JOIN LATERAL (
               SELECT *
                 FROM day_total d
                WHERE d.slot = k.slot AND d.tenant = k.tenant AND d.owner = k.owner AND d.day >= k.days_since
               OFFSET 0
               ) d) AS days,
       (SELECT json_agg(json_build_object(
                   'tenant', f.tenant, 'owner', f.owner, 'kind', f.kind, 'about', f.about, 'body', f.body,
                   'known_at', coalesce(f.known_at, 'epoch')))
          FROM wanted_fact f) AS facts,
       (SELECT json_agg(json_build_object(
                   'tenant', w.tenant, 'owner', w.owner, 'job_id', w.job_id, 'total_us', coalesce(j.total_us, 0)))
          FROM wanted_job w
          LEFT JOIN LATERAL (
               SELECT *
                 FROM job_total j
                WHERE j.slot = w.slot AND j.tenant = w.tenant AND j.owner = w.owner AND j.job_id = w.job_id
               OFFSET 0
               ) j ON true) AS jobs,
       (SELECT json_agg(json_build_object(
                   'tenant', i.tenant, 'owner', i.owner, 'timer_id', i.timer_id, 'start', i.start_at, 'end', i.end_at,
                   'zone', i.zone, 'billable', t.billable, 'job_id', t.job_id))
          FROM ended i
         CROSS JOIN LATERAL (
               SELECT * FROM timer t WHERE (t.slot, t.id) BETWEEN (i.slot, i.timer_id) AND (i.slot, i.timer_id) LIMIT 1
               ) t) AS closed,
       (SELECT json_agg(json_build_object(
                   'tenant', i.tenant, 'owner', i.owner, 'timer_id', i.timer_id, 'start', i.start_at, 'end', i.end_at,
                   'zone', i.zone, 'billable', worked.billable, 'job_id', worked.job_id))
          FROM unnest($10::integer[], $11::text[], $12::text[], $13::bigint[], $14::timestamptz[])
            AS w (slot, tenant, owner, timer_id, moment)
          LEFT JOIN LATERAL (
               SELECT * FROM timer t WHERE (t.slot, t.id) BETWEEN (w.slot, w.timer_id) AND (w.slot, w.timer_id) LIMIT 1
               ) t ON true
         CROSS JOIN LATERAL (SELECT greatest(w.moment, t.last_at) AS at) pressed
         CROSS JOIN LATERAL (
               SELECT *
                 FROM (
                       SELECT *
                         FROM "interval" i
                        WHERE i.slot = w.slot
                          AND i.tenant = coalesce(w.tenant, t.tenant)
                          AND i.owner = coalesce(w.owner, t.owner)
                          AND i.end_at > pressed.at
                        ORDER BY i.end_at
                       OFFSET 0
                      ) ends_later
                WHERE end_at > start_at AND timer_id <> w.timer_id
                ORDER BY greatest(start_at, pressed.at), timer_id, seq
                LIMIT 1
               ) i
         CROSS JOIN LATERAL (
               SELECT * FROM timer t WHERE (t.slot, t.id) BETWEEN (i.slot, i.timer_id) AND (i.slot, i.timer_id) LIMIT 1
               ) worked) AS overlaps,
       (SELECT json_agg(json_build_object('tenant', f.tenant, 'owner', f.owner, 'body', f.body))
          FROM wanted_owner o
         CROSS JOIN LATERAL (
               SELECT *
                 FROM owner_fact f
                WHERE f.slot = o.slot AND f.tenant = o.tenant AND f.owner = o.owner AND f.kind = 'profile'
               OFFSET 0
               ) f) AS profiles,
       (SELECT json_agg(json_build_object(
                   'kpart', v.kpart, 'event_id', v.event_id, 'log_time', v.log_time, 'body', v.body,
                   'packed', encode(v.packed, 'base64')) ORDER BY v.source_offset)
          FROM unnest($1::integer[], $2::uuid[]) AS e (kpart, event_id)
         CROSS JOIN LATERAL (
               SELECT *
                 FROM outcome v
                WHERE (v.event_id, v.kpart) BETWEEN (e.event_id, e.kpart) AND (e.event_id, e.kpart)
               OFFSET 0
               ) v) AS verdicts;
