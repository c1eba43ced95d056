-- How often each caller calls dialect B (R19). Not from the log, and worth little: an empty table locks nobody out.
CREATE TABLE threshold (
    tenant       text NOT NULL,
    client       text NOT NULL,
    uri          text NOT NULL,
    -- The moments of the requests that went on in the last minute: as many as the limit at most.
    went_on_at   timestamptz[] NOT NULL,
    locked_until timestamptz,
    -- From here on the row says nothing more.
    stale_at     timestamptz NOT NULL,
    PRIMARY KEY (tenant, client, uri)
);
CREATE INDEX threshold_by_stale_at ON threshold (stale_at);

-- Count `asked` requests of one caller on one URI, and say how many of them may go on. When not all may, the caller is
-- locked out, and `locked_seconds` says for how long still.
--
-- The minute slides: of any sixty seconds, no more than `per_minute` requests went on. A minute that begins with the
-- clock's would let twice as many through around its turn, and callers could not tell when it begins.
--
-- The row's lock makes callers of one key wait for each other, whatever process they come from. The clock is Postgres'
-- own, read after the lock, so that the moments of a key never run backwards. A new row pays for up to two stale ones:
-- the table never has more rows than callers that were busy at one time.
CREATE FUNCTION count_requests(
    of_tenant text, of_client text, of_uri text, asked integer, per_minute integer, lock_seconds integer,
    OUT went_on integer, OUT locked_seconds integer
) LANGUAGE plpgsql AS $$
DECLARE
    a_minute CONSTANT interval := interval '1 minute';
    a_lock   CONSTANT interval := make_interval(secs => lock_seconds);
    moment   timestamptz;
    recent   timestamptz[];
    until    timestamptz;
BEGIN
    LOOP
        SELECT t.went_on_at, t.locked_until INTO recent, until
          FROM threshold AS t
         WHERE (t.tenant, t.client, t.uri) = (of_tenant, of_client, of_uri)
           FOR UPDATE;
        EXIT WHEN FOUND;
        WITH stale AS MATERIALIZED (
            SELECT t.tenant, t.client, t.uri
              FROM threshold AS t
             WHERE t.stale_at < clock_timestamp()
             ORDER BY t.stale_at
             LIMIT 2
               FOR UPDATE SKIP LOCKED
        )
        DELETE FROM threshold AS t USING stale AS s WHERE (t.tenant, t.client, t.uri) = (s.tenant, s.client, s.uri);
        INSERT INTO threshold (tenant, client, uri, went_on_at, stale_at)
        VALUES (of_tenant, of_client, of_uri, '{}', clock_timestamp() + a_minute)
        ON CONFLICT DO NOTHING;
    END LOOP;

    moment := clock_timestamp();
    -- A lock that ends later than one that begins now is void: the setting was lowered, or the clock was set back.
    IF until > moment AND until <= moment + a_lock THEN
        went_on := 0;
        locked_seconds := ceil(extract(epoch FROM until - moment));
        RETURN;
    END IF;

    recent := ARRAY(SELECT m FROM unnest(recent) AS m WHERE m > moment - a_minute AND m <= moment);
    went_on := least(asked, greatest(per_minute - cardinality(recent), 0));
    locked_seconds := CASE WHEN went_on < asked THEN lock_seconds ELSE 0 END;
    until := CASE WHEN went_on < asked THEN moment + a_lock END;
    UPDATE threshold AS t
       SET went_on_at = recent || array_fill(moment, ARRAY[went_on]),
           locked_until = until,
           stale_at = greatest(moment + a_minute, until)
     WHERE (t.tenant, t.client, t.uri) = (of_tenant, of_client, of_uri);
END
$$;
