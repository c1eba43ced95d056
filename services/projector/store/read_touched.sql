-- All that a batch touches and the caches lack, in one row: verdicts by event id, and owners' sheets.
-- An owner is asked for by name, or by one of their timers; `since` is how far back their closed intervals matter.
-- A press of long ago ($10 to $14) asks for one interval only: of those that it overlaps, the one that begins first.
WITH wanted_timer AS (
    SELECT * FROM unnest($3::integer[], $4::bigint[], $5::timestamptz[]) AS w (slot, id, since)
), wanted_owner AS (
    SELECT slot, tenant, owner, min(since) AS since
      FROM (
            SELECT * FROM unnest($6::integer[], $7::text[], $8::text[], $9::timestamptz[]) AS w (slot, tenant, owner, since)
             UNION ALL
            SELECT t.slot, t.tenant, t.owner, w.since
              FROM wanted_timer w
              JOIN timer t ON t.slot = w.slot AND t.id = w.id
           ) named
     GROUP BY slot, tenant, owner
), touched AS (
    SELECT t.*
      FROM wanted_timer w
      JOIN timer t ON t.slot = w.slot AND t.id = w.id
     UNION
    SELECT t.*
      FROM wanted_owner o
      JOIN timer t ON t.slot = o.slot AND t.tenant = o.tenant AND t.owner = o.owner AND t.state = 'RUNNING'
)
SELECT (SELECT json_agg(json_build_object('tenant', tenant, 'owner', owner, 'since', since)) FROM wanted_owner) AS owners,
       (SELECT json_agg(json_build_object(
                   'tenant', t.tenant, 'id', t.id, 'owner', t.owner, 'account_id', t.account_id, 'job_id', t.job_id,
                   'project_id', t.project_id, 'billable', t.billable, 'work_date', t.work_date, 'state', t.state,
                   'started_at', t.started_at, 'stopped_at', t.stopped_at, 'total_us', t.total_us,
                   'last_at', t.last_at, 'flags', t.flags, 'intervals', last.seq,
                   'open', CASE WHEN last.end_at IS NULL
                                THEN json_build_object('seq', last.seq, 'start', last.start_at, 'zone', last.zone) END))
          FROM touched t
          CROSS JOIN LATERAL (
               SELECT seq, start_at, end_at, zone
                 FROM "interval" i
                WHERE i.slot = t.slot AND i.timer_id = t.id
                ORDER BY seq DESC
                LIMIT 1
               ) last) AS timers,
       (SELECT json_agg(json_build_object(
                   'tenant', i.tenant, 'owner', i.owner, 'timer_id', i.timer_id, 'start', i.start_at, 'end', i.end_at))
          FROM wanted_owner o
          JOIN "interval" i
            ON i.slot = o.slot AND i.tenant = o.tenant AND i.owner = o.owner AND i.end_at > o.since) AS closed,
       (SELECT json_agg(json_build_object(
                   'tenant', i.tenant, 'owner', i.owner, 'timer_id', i.timer_id, 'start', i.start_at, 'end', i.end_at))
          FROM unnest($10::integer[], $11::text[], $12::text[], $13::bigint[], $14::timestamptz[])
            AS w (slot, tenant, owner, timer_id, moment)
          LEFT JOIN timer t ON t.slot = w.slot AND t.id = w.timer_id
         CROSS JOIN LATERAL (SELECT greatest(w.moment, t.last_at) AS at) pressed
         CROSS JOIN LATERAL (
               SELECT o.tenant, o.owner, o.timer_id, o.start_at, o.end_at
                 FROM "interval" o
                WHERE o.slot = w.slot
                  AND o.tenant = coalesce(w.tenant, t.tenant)
                  AND o.owner = coalesce(w.owner, t.owner)
                  AND o.end_at > pressed.at
                  AND o.end_at > o.start_at
                  AND o.timer_id <> w.timer_id
                ORDER BY greatest(o.start_at, pressed.at), o.timer_id, o.seq
                LIMIT 1
               ) i) AS overlaps,
       (SELECT json_agg(json_build_object('tenant', f.tenant, 'owner', f.owner, 'body', f.body))
          FROM wanted_owner o
          JOIN owner_fact f
            ON f.slot = o.slot AND f.tenant = o.tenant AND f.owner = o.owner AND f.kind = 'profile') AS profiles,
       (SELECT json_agg(json_build_object(
                   'kpart', v.kpart, 'event_id', v.event_id, 'digest', v.digest, 'log_time', v.log_time, 'body', v.body)
                   ORDER BY v.source_offset)
          FROM unnest($1::integer[], $2::uuid[]) AS e (kpart, event_id)
          JOIN outcome v ON v.kpart = e.kpart AND v.event_id = e.event_id) AS verdicts;
