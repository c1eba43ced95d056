-- The outcome of one record.
SELECT body, packed FROM outcome WHERE kpart = $1 AND source_offset = $2;
