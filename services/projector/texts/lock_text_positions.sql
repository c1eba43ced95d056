-- Lock the positions of some partitions until the end of the transaction, in order: two never wait for each other.
SELECT kpart, next_offset FROM text_position WHERE kpart = ANY ($1::integer[]) ORDER BY kpart FOR UPDATE;
