-- Give partitions of the texts their position, at the beginning; those that have one keep it. In order, as locks are.
INSERT INTO text_position (kpart, next_offset)
SELECT kpart, 0 FROM unnest($1::integer[]) AS kpart ORDER BY kpart
ON CONFLICT DO NOTHING;
