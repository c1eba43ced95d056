-- Move the positions of the search for erasures past what was searched.
INSERT INTO erasure_position (kpart, next_offset)
SELECT * FROM unnest($1::integer[], $2::bigint[])
ON CONFLICT (kpart) DO UPDATE SET next_offset = greatest(erasure_position.next_offset, EXCLUDED.next_offset);
