-- Where to read on in some partitions of the texts. One that was never read has no row.
SELECT kpart, next_offset FROM text_position WHERE kpart = ANY ($1::integer[]);
